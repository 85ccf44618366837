import { LeaderLock, type PublishedRow, SnapshotCursor, type SnapshotCursorOptions } from '@amana/messaging';
import { openPool, type Pool } from '@amana/persistence';
import type { Session } from './benchmark.ts';
import type { Network } from './network.ts';

const rowsPerStatement = 100_000;

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

/** Stores published events of the size and shape of a referral's, ten to a stream. */
export async function appendEvents(network: Network, database: 'referral' | 'intake', count: number): Promise<void> {
  for (let done = 0; done < count; done += rowsPerStatement) {
    const rows = Math.min(rowsPerStatement, count - done);
    await network.query(database, `
      INSERT INTO event (id, stream, version, type, topic, key, data, meta, at)
      SELECT gen_random_uuid(), s.stream, v.version, 'referral.acknowledged.v1', 'referral.referral.v1', s.stream::text,
        jsonb_build_object('referralId', s.stream, 'fromOrg', s.stream, 'toOrg', s.stream, 'note', repeat('x', 200)),
        '{"correlation": "bench", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}', now()
      FROM (SELECT gen_random_uuid() AS stream FROM generate_series(1, ${rows / 10})) AS s CROSS JOIN generate_series(1, 10) AS v (version)`);
  }
  await network.query(database, 'VACUUM ANALYZE event');
  await network.query(database, 'CHECKPOINT');
}
