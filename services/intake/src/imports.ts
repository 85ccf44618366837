import { Injectable } from '@nestjs/common';
import { type EventDefinition, type EventOf, Id, privateEvent } from '@amana/contracts';
import { type Aggregate, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { Held } from './held.ts';

const Row = z.int().min(0).max(99);

/** What became of each row, by its number: the file's own ids may lead to a person and are not kept. */
export const CasesImported = privateEvent('intake.cases-imported.v1', z.strictObject({
  organisationId: Id,
  created: z.array(z.strictObject({ row: Row, caseId: Id })).max(100),
  refused: z.array(z.strictObject({ row: Row, code: z.string().max(60) })).max(100),
  unchanged: z.array(z.strictObject({ row: Row, caseId: Id })).max(100),
}));
export type ImportedRows = z.infer<typeof CasesImported.data>;

type ImportEvent = EventOf<{ CasesImported: typeof CasesImported }>;
export type ImportState = { readonly rows?: ImportedRows };

/** Imports of cases: a repeated request is answered from what the first one did. */
@Injectable()
export class Imports extends Stream<ImportState, ImportEvent, ImportedRows> {
  constructor(engine: StreamEngine, held: Held) {
    super(engine, importAggregate(held));
  }
}

function importAggregate(held: Held): Aggregate<ImportState, ImportEvent, ImportedRows> {
  return {
    initial: {},
    evolve: (_state, event) => ({ rows: event.data }),
    name: 'case-import',
    events: [CasesImported] as EventDefinition[],
    relations: (state, organisationId, params) => (
      params.organisationId === organisationId && held.holds(organisationId) && (!state.rows || state.rows.organisationId === organisationId) ? ['own'] : []
    ),
    answer: (state) => state.rows!,
    subject: (_state, id) => ({ publicId: id }),
  };
}
