import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock, Database, type DueRow, inTransaction, scheduleDue, type Transaction } from '@amana/persistence';
import { Log } from '@amana/service';
import { DeliverySettings } from './delivery-settings.ts';
import type { RetryOptions } from './domain/retry-plan.ts';

/** How soon a row comes again for which there was no room. */
const noRoomMs = 500;
/** How long a stopping process waits for what it is sending; the rest is tried again by another. */
const drainMs = 5_000;

/**
 * Lets something leave the house between two transactions. The first, the due row's own, puts the row off by a lease:
 * a process that dies while it sends leaves a row that comes due again. The second records what became of it. So it is
 * sent at least once, and no transaction is held open while the other side thinks.
 */
@Injectable()
export class Outbox implements OnModuleDestroy {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #settings: DeliverySettings;
  readonly #log: Log;
  readonly #underWay = new Set<Promise<void>>();
  #stopping = false;

  constructor(database: Database, clock: Clock, settings: DeliverySettings, log: Log) {
    this.#database = database;
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
  }

  now(): Date {
    return this.#clock.real();
  }

  /** Claims a due row in its transaction, and sends once that is committed; if there is no room, the row comes again soon. */
  claim(tx: Transaction, row: DueRow, send: () => Promise<void>): void {
    const hasRoom = !this.#stopping && this.#underWay.size < this.#settings.mostUnderWay;
    const at = new Date(this.now().getTime() + (hasRoom ? this.#settings.leaseMs : noRoomMs));
    tx.write(scheduleDue({ kind: row.kind, key: row.key, at, clock: 'real', payload: row.payload }));
    if (hasRoom) tx.afterCommit(() => this.#begin(row.kind, send));
  }

  /** Records what became of it, in a transaction of its own. */
  async record(work: (tx: Transaction, retry: RetryOptions) => Promise<void>): Promise<void> {
    await inTransaction(this.#database.due, [], (tx) => work(tx, { now: this.now(), random: this.#settings.random }));
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, drainMs); });
    await Promise.race([Promise.allSettled(this.#underWay), late]);
    clearTimeout(timer);
  }

  #begin(kind: string, send: () => Promise<void>): void {
    // What cannot be recorded is sent again when the lease ends: the receiver knows it by its id.
    const sending = send().catch((error: unknown) => { this.#log.logger.warn('sending-not-recorded', { kind, error }); }).finally(() => { this.#underWay.delete(sending); });
    this.#underWay.add(sending);
  }
}
