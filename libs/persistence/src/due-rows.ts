import type { Pool } from 'pg';
import type { Clock } from './clock.ts';
import { inTransaction, type Row, type Statement, type Transaction } from './transaction.ts';

export type DueClock = 'business' | 'real';

export interface DueRow {
  readonly kind: string;
  readonly key: string;
  readonly dueAt: Date;
  readonly payload: Record<string, unknown>;
  readonly attempts: number;
}

/** Handles one due row inside the worker's transaction; it may schedule the same kind and key anew. */
export type DueHandler = (row: DueRow, tx: Transaction) => Promise<void>;

/** Failed handlers wait this long, then longer, up to an hour: the row is never dropped. */
const backOffMs = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];

/** Rows looked at per wake-up, so that one busy kind cannot keep the worker from stopping. */
const rowsPerTick = 100;

/** Something that must happen at a time: a deadline, an expiring hold, a parked key, a delivery. One row per kind and key. */
export function scheduleDue(due: { kind: string; key: string; at: Date; clock: DueClock; payload?: Record<string, unknown> }): Statement {
  return {
    name: 'due-schedule', values: [due.kind, due.key, due.at, due.clock, JSON.stringify(due.payload ?? {})],
    text: `INSERT INTO due (kind, key, due_at, clock, payload) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (kind, key) DO UPDATE SET due_at = EXCLUDED.due_at, clock = EXCLUDED.clock, payload = EXCLUDED.payload, attempts = 0, last_error = NULL`,
  };
}

/** Nothing is due any more under this kind and key. */
export function cancelDue(kind: string, key: string): Statement {
  return { name: 'due-cancel', text: 'DELETE FROM due WHERE kind = $1 AND key = $2', values: [kind, key] };
}

/**
 * The one worker for all due rows of a service. Any number of replicas may run it: a row is handled by one of them
 * (FOR UPDATE SKIP LOCKED), in the transaction that removes it, at least once and in effect exactly once.
 */
export class DueWorker {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #handlers: ReadonlyMap<string, DueHandler>;
  readonly #onError: (kind: string, error: unknown) => void;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(options: { pool: Pool; clock: Clock; handlers: ReadonlyMap<string, DueHandler>; onError: (kind: string, error: unknown) => void }) {
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#handlers = options.handlers;
    this.#onError = options.onError;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#loop = this.#run();
  }

  /** Looks at once instead of at the next tick. */
  poke(): void {
    this.#wake();
  }

  /** Ends after the row in hand. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#wake();
    await this.#loop;
  }

  /** Handles what is due now; answers how many rows were handled. */
  async drain(): Promise<number> {
    let handled = 0;
    while (handled < rowsPerTick && await this.#handleNext()) handled += 1;
    return handled;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const handled = await this.drain().catch((error: unknown) => { this.#onError('due', error); return 0; });
      if (handled < rowsPerTick && this.#running) await this.#pause(500);
    }
  }

  async #handleNext(): Promise<boolean> {
    return await inTransaction(this.#pool, [nextDue([...this.#handlers.keys()], this.#clock)], async (tx, [rows]) => {
      if (!rows?.[0]) return false;
      const row = toDueRow(rows[0]);
      try {
        await tx.attempt(async () => {
          tx.write(cancelDue(row.kind, row.key));
          await this.#handlers.get(row.kind)!(row, tx);
        });
      } catch (error) {
        this.#onError(row.kind, error);
        tx.write(this.#postpone(row, error));
      }
      return true;
    });
  }

  #postpone(row: DueRow, error: unknown): Statement {
    const waitMs = backOffMs[Math.min(row.attempts, backOffMs.length - 1)]! * (0.8 + Math.random() * 0.4);
    const after = (now: Date) => new Date(now.getTime() + waitMs);
    return {
      name: 'due-postpone', values: [row.kind, row.key, error instanceof Error ? error.name : 'error', after(this.#clock.business()), after(this.#clock.real())],
      text: `UPDATE due SET attempts = attempts + 1, last_error = $3, due_at = CASE clock WHEN 'business' THEN $4::timestamptz ELSE $5::timestamptz END
        WHERE kind = $1 AND key = $2`,
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}

function nextDue(kinds: readonly string[], clock: Clock): Statement {
  return {
    name: 'due-next', values: [kinds, clock.business(), clock.real()],
    text: `SELECT kind, key, due_at, payload, attempts FROM due
      WHERE kind = ANY($1) AND ((clock = 'business' AND due_at <= $2) OR (clock = 'real' AND due_at <= $3))
      ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
  };
}

function toDueRow(row: Row): DueRow {
  return { kind: row.kind as string, key: row.key as string, dueAt: row.due_at as Date, payload: row.payload as Record<string, unknown>, attempts: row.attempts as number };
}
