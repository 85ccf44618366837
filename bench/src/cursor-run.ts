import { LeaderLock, type PublishedRow, SnapshotCursor, type SnapshotCursorOptions } from '@amana/messaging';
import { openPool, type Pool } from '@amana/persistence';
import type { Session } from './benchmark.ts';

/** A cursor as the relay runs it, under the relay's role and its leader lock, with a sink that acknowledges at once. */
export class CursorRun {
  readonly cursor: SnapshotCursor;
  readonly #pool: Pool;
  readonly #lock: LeaderLock;
  #failure: Error | undefined;

  /** `onRows` is told of each batch. */
  constructor(session: Session, relayUrl: string, options: { subscriber: string; onRows?: (rows: readonly PublishedRow[]) => void; beforePoll?: SnapshotCursorOptions['beforePoll'] }) {
    this.#pool = openPool(relayUrl, 2);
    this.cursor = new SnapshotCursor({
      subscriber: options.subscriber, source: this.#pool, ...(options.beforePoll ? { beforePoll: options.beforePoll } : {}),
      onBatch: (rows) => Promise.resolve(options.onRows?.(rows)),
      onAlarm: (alarm) => { this.#failure = new Error(`The cursor raised an alarm: ${alarm.code} ${alarm.reason ?? ''}`); },
    });
    this.#lock = new LeaderLock({ pool: this.#pool, name: options.subscriber, work: (lead) => this.cursor.run(lead), onError: (error) => { this.#failure ??= error as Error; } });
    session.onEnd(() => this.stop());
  }

  start(): void {
    this.#lock.start();
  }

  /** Throws if the cursor had to complain: a figure must not come from a run that failed on its way. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.cursor.end(0);
    await this.#lock.stop();
    if (!this.#pool.ended) await this.#pool.end();
  }
}
