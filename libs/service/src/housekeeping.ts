import { Injectable } from '@nestjs/common';
import { purgeInbox } from '@amana/messaging';
import { Clock, Database, type DueRow, scheduleDue, type Transaction } from '@amana/persistence';
import type { DueSlice, StartSlice } from './define-service.ts';

const dayMs = 86_400_000;
/** As long as a partner may take to repeat a request. */
const idempotencyHours = 72;
/** Longer than the bus keeps a message: a duplicate must still find its row. */
const inboxDays = 30;

/** Once a day what nobody will ask for again is forgotten: old idempotency rows and the inbox's old rows. */
@Injectable()
export class Housekeeping implements DueSlice, StartSlice {
  readonly kind = 'housekeeping';
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async onStart(): Promise<void> {
    await this.#database.app.query('INSERT INTO due (kind, key, due_at, clock) VALUES ($1, \'daily\', $2, \'real\') ON CONFLICT DO NOTHING', [this.kind, this.#clock.real()]);
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    await this.#database.app.query('DELETE FROM idempotency WHERE at < now() - make_interval(hours => $1)', [idempotencyHours]);
    await purgeInbox(this.#database.app, inboxDays);
    tx.write(scheduleDue({ kind: row.kind, key: row.key, at: new Date(this.#clock.real().getTime() + dayMs), clock: 'real' }));
  }
}
