import type { Pool } from '@amana/persistence';
import { type OnAlarm, reasonOf } from './alarm.ts';
import type { RawMessage } from './cloud-event.ts';
import { encode, type PublishedRow } from './codec.ts';
import type { Inbox } from './inbox.ts';
import { LeaderLock } from './leader-lock.ts';
import { SnapshotCursor } from './snapshot-cursor.ts';

export interface PostgresSubscriptionOptions {
  readonly inbox: Inbox;
  /** Each producer's log, through the bus role's connections: one for each subscription. */
  readonly sources: ReadonlyMap<string, Pool>;
  readonly onAlarm: OnAlarm;
}

const fewMessages = 4;
const chunkSize = 16;
/** With nothing to do, twenty cursors in one process would otherwise ask eighty times a second. */
const idle = { minMs: 250, maxMs: 1_000 };

/**
 * Feeds one inbox straight from the producers' event logs: a cursor for each producer, kept in the consumer's own
 * database as `bus:<consumer>:<producer>`. Nothing is copied, and no second queue exists. Of several replicas one works.
 */
export class PostgresSubscription {
  readonly #options: PostgresSubscriptionOptions;
  readonly #cursors = new Map<string, SnapshotCursor>();
  readonly #lock: LeaderLock;
  #started = false;
  #stopping = false;

  constructor(options: PostgresSubscriptionOptions) {
    const { inbox, sources, onAlarm } = options;
    this.#options = options;
    for (const [producer, source] of sources) {
      const topics = inbox.topics.filter((topic) => topic.startsWith(`${producer}.`));
      this.#cursors.set(producer, new SnapshotCursor({
        subscriber: `bus:${inbox.consumer}:${producer}`, source, topics, onAlarm, idle, onBatch: (rows) => this.#feed(rows, producer),
      }));
    }
    this.#lock = new LeaderLock({
      pool: inbox.pool, name: `amana-bus:${inbox.consumer}`, onError: (error) => onAlarm({ code: 'stalled', consumer: inbox.consumer, reason: reasonOf(error) }),
      // One cursor that loses the lead loses it for all: they share the connection that holds the lock.
      work: async (lead) => { await Promise.all([...this.#cursors.values()].map((cursor) => cursor.run(lead).catch((error: unknown) => { lead.stepDown(error); }))); },
    });
  }

  get ready(): boolean {
    return this.#started;
  }

  /** The producers that this consumer listens to. */
  get producers(): string[] {
    return [...this.#cursors.keys()];
  }

  start(): Promise<void> {
    this.#lock.start();
    this.#started = true;
    return Promise.resolve();
  }

  /** A producer in this process has committed something. */
  poke(producer: string): void {
    this.#cursors.get(producer)?.poke();
  }

  /** Ends after the transaction in hand. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#started = false;
    for (const cursor of this.#cursors.values()) cursor.end(0);
    await this.#lock.stop();
  }

  async #feed(rows: readonly PublishedRow[], producer: string): Promise<void> {
    for (let next = 0; next < rows.length;) {
      if (this.#stopping) throw new Error('The subscription is stopping');
      const chunk = rows.slice(next, next + (rows.length - next < fewMessages ? 1 : chunkSize));
      await this.#options.inbox.process(chunk.map((row) => toRawMessage(row, producer)));
      next += chunk.length;
    }
  }
}

function toRawMessage(row: PublishedRow, producer: string): RawMessage {
  return { topic: row.topic, partition: 0, offset: row.position, ...encode(row, producer) };
}
