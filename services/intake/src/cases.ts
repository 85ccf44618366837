import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id } from '@amana/contracts';
import type { Statement, StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type Case, caseDecider, type KnownCase } from './domain/case.ts';
import { caseEvents, type CaseEvent } from './domain/case-events.ts';
import { Held } from './held.ts';

export const CaseStatus = z.enum(['imported-draft', 'transferred-in', 'active', 'closed', 'declined-services', 'transferred-out']);
export type CaseStatus = z.infer<typeof CaseStatus>;

/** What every command on a case answers, and its retry again. */
export const CaseAnswer = z.object({ caseId: Id, status: CaseStatus, version: z.int() }).meta({ id: 'CaseAnswer' });
export type CaseAnswer = z.infer<typeof CaseAnswer>;

/** With what a conversation about consent gave, where that was the act: its receipts are signed anew from these facts. */
export interface CaseResult extends CaseAnswer {
  readonly given?: KnownCase['given'];
}

/** All cases of this instance, each its own stream of private events. */
@Injectable()
export class Cases extends Stream<Case, CaseEvent, CaseResult> {
  constructor(engine: StreamEngine, held: Held) {
    super(engine, caseAggregate(held));
  }
}

function caseAggregate(held: Held): Aggregate<Case, CaseEvent, CaseResult> {
  return {
    ...caseDecider,
    name: 'case',
    events: Object.values(caseEvents) as EventDefinition[],
    relations(state, organisationId, params) {
      if (params.organisationId !== organisationId || !held.holds(organisationId)) return [];
      if (state.status === 'none') return params.caseId === undefined ? ['own'] : [];
      return state.organisationId === organisationId ? ['own'] : [];
    },
    answer: (state, caseId, version) => ({ caseId, status: (state as KnownCase).status, version, ...(state.status !== 'none' && state.given.length > 0 ? { given: state.given } : {}) }),
    // No public id: outside this service a case is known by its tag alone.
    subject: () => ({}),
  };
}

const statusOf: Partial<Record<CaseEvent['type'], string>> = {
  'intake.case-opened.v1': 'active', 'intake.case-imported.v1': 'imported-draft', 'intake.case-transferred-in.v1': 'transferred-in', 'intake.case-file-received.v1': 'active',
  'intake.services-declined.v1': 'declined-services', 'intake.case-closed.v1': 'closed',
};

/** The list of cases follows every event of a case; it holds ids, a status and clocks. */
export const caseBoard: Projection = {
  on: Object.values(caseEvents).map((definition) => definition.type),
  project(event: StoredEvent): readonly Statement[] {
    const { type, data } = event as unknown as CaseEvent;
    if (type === 'intake.case-opened.v1' || type === 'intake.case-imported.v1' || type === 'intake.case-transferred-in.v1') {
      return [{
        name: 'case-board-open', values: [event.stream, data.organisationId, statusOf[type], event.version, event.at],
        text: 'INSERT INTO case_board (case_id, organisation_id, status, version, opened_at, changed_at) VALUES ($1, $2, $3, $4, $5, $5)',
      }];
    }
    const left = type === 'intake.transfer-settled.v1' && data.outcome === 'accepted' ? 'transferred-out' : undefined;
    const moved: Statement = {
      name: 'case-board-move', values: [event.stream, event.version, event.at, statusOf[type] ?? left ?? null, type === 'intake.first-contact-recorded.v1'],
      text: `UPDATE case_board SET version = $2, changed_at = $3,
        status = COALESCE($4, CASE WHEN $5 AND status = 'imported-draft' THEN 'active' ELSE status END) WHERE case_id = $1`,
    };
    return type === 'intake.services-declined.v1' ? [moved, destroyCaseKey(event.stream)] : [moved];
  },
};

/** Nothing is kept of whoever declines: without its key no sealed field of the case can ever be opened. */
function destroyCaseKey(caseId: string): Statement {
  return { name: 'case-key-destroy', values: [caseId], text: 'UPDATE keys.case_key SET wrapped = \'\'::bytea, destroyed_at = now() WHERE case_id = $1 AND destroyed_at IS NULL' };
}
