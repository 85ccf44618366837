import { Injectable } from '@nestjs/common';
import { Database, inTransaction, SealedStore, type Transaction } from '@amana/persistence';
import type { Case } from './domain/case.ts';
import type { CaseEvent } from './domain/case-events.ts';
import type { SealedField } from './domain/person.ts';

export type FieldValues = Partial<Record<SealedField, unknown>>;

/** Newest version of a field, whichever that is. */
const newest = 2_147_483_647;

/** What describes her, field by field: sealed in the transaction that appends the event which names it. */
@Injectable()
export class SealedFields {
  readonly #store: SealedStore;
  readonly #database: Database;

  constructor(store: SealedStore, database: Database) {
    this.#store = store;
    this.#database = database;
  }

  /** Seals these values as the next version of their fields; answers the events that say so. */
  async keep(tx: Transaction, caseId: string, options: { state: Case; values: FieldValues }): Promise<CaseEvent[]> {
    const events: CaseEvent[] = [];
    const known: Readonly<Record<string, number>> = options.state.status === 'none' ? {} : options.state.sealed;
    for (const [field, value] of Object.entries(options.values) as [SealedField, unknown][]) {
      if (value === undefined) continue;
      const version = (known[field] ?? 0) + 1;
      await this.#store.put(tx, { caseId, field, version }, value);
      events.push({ type: 'intake.field-sealed.v1', data: { field, version } });
    }
    return events;
  }

  /**
   * Opens these fields of a case, each as it was last written. To be called only after the audit entry of the look has
   * been committed. A field that was never written, or whose key is destroyed, is missing from the answer.
   */
  async open(caseId: string, fields: Iterable<SealedField>): Promise<FieldValues> {
    return await inTransaction(this.#database.app, [], (tx) => this.openIn(tx, caseId, fields));
  }

  /** The same inside a transaction that is open: for a due row, which shows nothing to anybody. */
  async openIn(tx: Transaction, caseId: string, fields: Iterable<SealedField>): Promise<FieldValues> {
    const values: FieldValues = {};
    for (const field of new Set(fields)) {
      const sealed = await this.#store.find<unknown>(tx, { caseId, field, version: newest });
      if (sealed) values[field] = sealed.reveal();
    }
    return values;
  }
}
