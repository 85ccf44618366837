import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Indicator, intakeEvents } from '@amana/contracts';
import { type DueRow, type NewEvent, scheduleDue, type Statement, type StoredEvent, type Transaction } from '@amana/persistence';
import { type DueSlice, type Projection, StreamEngine } from '@amana/service';
import { caseEvents, type CaseEvent } from '../domain/case-events.ts';
import { endOfMonth, pairsOf } from '../domain/counting.ts';
import type { Demographics } from '../domain/person.ts';
import { SealedFields } from '../sealed-fields.ts';

const kind = 'intake.counting-batch';
/** Persons counted in one transaction: 9 facts each at most, well under what one append may carry. */
const batchSize = 40;

/** What is counted waits for the month's end; whoever takes back that she may be counted is taken out until then. */
export const countTable: Projection = {
  on: [caseEvents.CountNoted.type, caseEvents.Screened.type],
  project(event: StoredEvent): readonly Statement[] {
    const { type, data } = event as unknown as CaseEvent;
    if (type === 'intake.count-noted.v1') {
      return [{
        name: 'count-noted', values: [event.stream, data.indicator, data.month],
        text: `INSERT INTO case_count (case_id, indicator, organisation_id, month) SELECT case_id, $2::text, organisation_id, $3::text FROM case_board WHERE case_id = $1
          ON CONFLICT (case_id, indicator) DO NOTHING`,
      }, scheduleDue({ kind, key: data.month, at: endOfMonth(data.month), clock: 'business' })];
    }
    if (type !== 'intake.screened.v1' || data.reportingConsent) return [];
    return [{ name: 'count-dropped', values: [event.stream], text: 'DELETE FROM case_count WHERE case_id = $1 AND sent_at IS NULL' }];
  },
};

/** Once a month's end has passed its facts leave together, in no order, dated to the month: timing cannot rejoin them to a stay. */
@Injectable()
export class PublishCounts implements DueSlice {
  readonly kind = kind;
  readonly #engine: StreamEngine;
  readonly #fields: SealedFields;

  constructor(engine: StreamEngine, fields: SealedFields) {
    this.#engine = engine;
    this.#fields = fields;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    const month = row.key;
    const counts = await tx.query<{ case_id: string; indicator: Indicator }>({
      name: 'count-unsent', values: [month, batchSize],
      text: 'SELECT case_id, indicator FROM case_count WHERE month = $1 AND sent_at IS NULL ORDER BY random() LIMIT $2 FOR UPDATE SKIP LOCKED',
    });
    const facts: NewEvent[] = [];
    for (const count of counts) facts.push(...await this.#factsOf(tx, count, month));
    this.#publish(tx, shuffled(facts), month);
    tx.write({
      name: 'count-sent', values: [counts.map((count) => count.case_id), counts.map((count) => count.indicator), this.#engine.clock.business()],
      text: 'UPDATE case_count SET sent_at = $3 FROM unnest($1::uuid[], $2::text[]) AS sent (case_id, indicator) WHERE case_count.case_id = sent.case_id AND case_count.indicator = sent.indicator',
    });
    if (counts.length === batchSize) tx.write(scheduleDue({ kind, key: month, at: row.dueAt, clock: 'business' }));
  }

  async #factsOf(tx: Transaction, { case_id: caseId, indicator }: { case_id: string; indicator: Indicator }, month: string): Promise<NewEvent[]> {
    const demographics = (await this.#fields.openIn(tx, caseId, ['demographics'])).demographics as Demographics | undefined;
    // Her key is destroyed: she is in the owner's own figures, and no fact about her can be made any more.
    if (!demographics) return [];
    return pairsOf(demographics).map((dimensions) => {
      const countingId = randomUUID();
      return { stream: countingId, version: 1, definition: intakeEvents.Counted, key: countingId, data: { countingId, indicator, month, dimensions } };
    });
  }

  /** With no correlation and no cause: nothing may join two facts of one person. */
  #publish(tx: Transaction, facts: readonly NewEvent[], month: string): void {
    if (facts.length === 0) return;
    const entry = this.#engine.trail.entry({
      actor: { system: this.#engine.service }, action: 'figures.publish', subject: { type: 'counting-batch', aggregateId: month }, decision: 'permit', outcome: 'done', requestId: randomUUID(),
    });
    this.#engine.append(tx, [...facts, entry], {});
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list.map((value) => ({ value, place: randomUUID() })).sort((a, b) => a.place.localeCompare(b.place)).map(({ value }) => value);
}
