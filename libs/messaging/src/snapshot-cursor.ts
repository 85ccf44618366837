import type { Pool, PoolClient, Row, Statement } from '@amana/persistence';
import { type OnAlarm, reasonOf } from './alarm.ts';
import type { PublishedRow } from './codec.ts';
import { type CursorState, logState, type LogState, readLogState, saveSnapshot, takeEpoch } from './cursor-state.ts';
import type { Lead } from './leader-lock.ts';
import { Pause } from './pause.ts';
import { beforeEverything, pollWindow, readerSettings, readLargeWindow, type Snapshot, toSnapshot } from './published-window.ts';

/** Where a batch stands: every published row visible in `since` has been handed on before. */
export interface WindowPosition {
  readonly since: string;
  /** The connection to the log. */
  readonly reader: PoolClient;
  /** The connection to `relay_state`: what is noted here comes before the cursor in the order of commits. */
  readonly state: PoolClient;
}

export interface SnapshotCursorOptions {
  /** Whose cursor this is: its row in `relay_state` of the database that holds the leader lock. */
  readonly subscriber: string;
  /** Reads `published_event`; one connection is kept. May be another database than the one with the cursor. */
  readonly source: Pool;
  /** Only these topics; every one if absent. */
  readonly topics?: readonly string[];
  /** Takes rows in the order of writing; the cursor goes on once it resolves, and gives the same rows again after it rejects. */
  readonly onBatch: (rows: readonly PublishedRow[], position: WindowPosition) => Promise<void>;
  /** Runs before each poll, while nothing is in hand. */
  readonly beforePoll?: (position: WindowPosition) => Promise<void>;
  readonly onAlarm: OnAlarm;
  /** The backstop between polls; it stretches to `maxMs` after ten seconds without a row. Default 250 ms, not stretched. */
  readonly idle?: { readonly minMs: number; readonly maxMs: number };
}

const saveEveryMs = 10_000;
const stretchAfterMs = 10_000;
const longestRetryMs = 5_000;
/** A restored log is looked at again and reported again this often, until an operator has reseeded the cursor. */
const divergedRetryMs = 60_000;
/** Failures in a row after which somebody should look. */
const alarmAfterFailures = 5;

class Ended extends Error {}
class Diverged extends Error {}

/**
 * Reads the published part of an event log by the difference of two snapshots: nothing is lost, no open writer holds
 * up the others, and of one stream version 1 always comes before version 2. At least once: after a crash, a lost
 * connection or a fork of the lead the last window comes again.
 */
export class SnapshotCursor {
  readonly #options: SnapshotCursorOptions;
  readonly #idle: { minMs: number; maxMs: number };
  #previous: Snapshot = toSnapshot(beforeEverything);
  #epoch = '0';
  #savedAtMs = 0;
  /** The next window is read meanwhile; nothing more is handed on before it is known that this process still leads. */
  #saving: Promise<void> = Promise.resolve();
  #lastRowAtMs = Date.now();
  #reader: PoolClient | undefined;
  #stopAtMs: number | undefined;
  readonly #pause = new Pause();
  #delivered = 0;
  #diverged = false;

  constructor(options: SnapshotCursorOptions) {
    this.#options = options;
    this.#idle = options.idle ?? { minMs: 250, maxMs: 250 };
  }

  get delivered(): number {
    return this.#delivered;
  }

  get diverged(): boolean {
    return this.#diverged;
  }

  /** Something was committed: look now. */
  poke(): void {
    this.#pause.poke();
  }

  /** Makes `run` end once nothing is left to hand on, after `drainMs` at the latest. */
  end(drainMs: number): void {
    this.#stopAtMs = Date.now() + drainMs;
    this.#pause.wake();
  }

  /** Hands on what is published for as long as this process leads. Rejects when the lead is lost. */
  async run(lead: Lead): Promise<void> {
    const wake = (): void => this.#pause.wake();
    lead.signal.addEventListener('abort', wake);
    this.#saving = Promise.resolve();
    try {
      await this.#loop(lead);
    } finally {
      lead.signal.removeEventListener('abort', wake);
      await this.#saving.catch(() => {});
      this.#closeReader();
    }
    lead.signal.throwIfAborted();
  }

  async #loop(lead: Lead): Promise<void> {
    let opened = false;
    for (let failures = 0; !this.#over(lead);) {
      try {
        if (!opened) await this.#open(lead);
        opened = true;
        const rows = await this.#step(lead);
        failures = 0;
        if (rows > 0) continue;
        if (this.#stopAtMs !== undefined) return;
        await this.#pause.whileIdle(this.#untilStopMs(Date.now() - this.#lastRowAtMs > stretchAfterMs ? this.#idle.maxMs : this.#idle.minMs));
      } catch (error) {
        if (error instanceof Ended) return;
        this.#closeReader();
        failures += 1;
        // A server that went down may come back with less than it had shown: only what was noted counts.
        opened = false;
        if (error instanceof Diverged && this.#stopAtMs !== undefined) return;
        this.#report(error, failures);
        await this.#pause.rest(this.#untilStopMs(error instanceof Diverged ? divergedRetryMs : Math.min(100 * 2 ** failures, longestRetryMs)));
      }
    }
  }

  /** Takes the next epoch, which fences every earlier leader, and compares the log with the one the cursor knows. */
  async #open(lead: Lead): Promise<void> {
    const reader = await this.#openReader();
    const { id, snap } = await readLogState(reader);
    const known = (await this.#note<CursorState>(lead, takeEpoch(this.#options.subscriber, id)))[0]!;
    // Another cluster's log may, after a crash, give out ids again that this cursor has counted: their events would be lost.
    if ((await this.#note<LogState>(lead, logState))[0]!.id !== id) throw new Diverged('other-cluster');
    this.#epoch = known.epoch;
    this.#previous = toSnapshot(known.snap);
    this.#savedAtMs = Date.now();
    if (known.system_id !== id) throw new Diverged('other-system');
    if (toSnapshot(snap).xmax < this.#previous.xmax) throw new Diverged('log-went-back');
    this.#diverged = false;
  }

  /** One window; answers how many rows it had. */
  async #step(lead: Lead): Promise<number> {
    const reader = await this.#openReader();
    const since = this.#previous;
    const position = { since: since.text, reader, state: lead.client };
    await this.#options.beforePoll?.(position);
    this.#pause.look();
    const topics = this.#options.topics ?? null;
    const [{ snapshot, rows, large }] = await Promise.all([pollWindow(reader, since, topics), this.#saving]);
    if (snapshot.xmax < since.xmax) throw new Diverged('log-went-back');
    let count = rows.length;
    if (large) {
      count = 0;
      for await (const batch of readLargeWindow(reader, { since, until: snapshot }, topics)) {
        await this.#deliver(lead, batch, position);
        count += batch.length;
      }
    } else if (count > 0) {
      await this.#deliver(lead, rows, position);
    }
    if (count > 0) this.#lastRowAtMs = Date.now();
    if (count > 0 || Date.now() - this.#savedAtMs >= saveEveryMs) this.#saving = this.#save(lead, snapshot);
    this.#saving.catch(() => {});
    this.#previous = snapshot;
    return count;
  }

  /** Tries for as long as this process leads: a bus that is away for an hour delays events, it does not lose them. */
  async #deliver(lead: Lead, rows: PublishedRow[], position: WindowPosition): Promise<void> {
    for (let failures = 0; !this.#over(lead); failures += 1) {
      try {
        await this.#options.onBatch(rows, position);
        this.#delivered += rows.length;
        return;
      } catch (error) {
        this.#report(error, failures + 1);
        await this.#pause.rest(this.#untilStopMs(Math.min(100 * 2 ** failures, longestRetryMs)));
      }
    }
    throw new Ended();
  }

  async #save(lead: Lead, snapshot: Snapshot): Promise<void> {
    const saved = await this.#note(lead, saveSnapshot(this.#options.subscriber, this.#epoch, snapshot));
    if (saved.length === 0) {
      lead.stepDown(new Error('A newer leader has taken over'));
      throw new Ended();
    }
    this.#savedAtMs = Date.now();
  }

  /** Bookkeeping goes through the connection that holds the lock: where it fails, the lead is over. */
  async #note<R extends Row>(lead: Lead, statement: Statement): Promise<R[]> {
    try {
      const answer = await lead.client.query<R>({ ...statement, values: [...statement.values] });
      return answer.rows;
    } catch (error) {
      lead.stepDown(error);
      throw new Ended();
    }
  }

  #report(error: unknown, failures: number): void {
    const subscriber = this.#options.subscriber;
    if (error instanceof Diverged) {
      this.#diverged = true;
      this.#options.onAlarm({ code: 'cursor-diverged', subscriber, reason: error.message });
    } else if (failures % alarmAfterFailures === 0) {
      this.#options.onAlarm({ code: 'stalled', subscriber, reason: reasonOf(error) });
    }
  }

  async #openReader(): Promise<PoolClient> {
    if (this.#reader) return this.#reader;
    const reader = await this.#options.source.connect();
    reader.on('error', () => {});
    try {
      await reader.query(readerSettings);
    } catch (error) {
      reader.release(true);
      throw error;
    }
    this.#reader = reader;
    return reader;
  }

  #closeReader(): void {
    this.#reader?.release(true);
    this.#reader = undefined;
  }

  #over(lead: Lead): boolean {
    return lead.signal.aborted || (this.#stopAtMs !== undefined && Date.now() >= this.#stopAtMs);
  }

  #untilStopMs(ms: number): number {
    return this.#stopAtMs === undefined ? ms : Math.min(ms, Math.max(0, this.#stopAtMs - Date.now()));
  }
}
