import type { Pool } from '@amana/persistence';
import type { Kafka } from 'kafkajs';
import { type OnAlarm, reasonOf } from './alarm.ts';
import { BlockedKeys } from './blocked-keys.ts';
import type { PublishedRow } from './codec.ts';
import { KafkaSender } from './kafka-sender.ts';
import { LeaderLock } from './leader-lock.ts';
import { SnapshotCursor, type WindowPosition } from './snapshot-cursor.ts';

export interface KafkaRelayOptions {
  readonly kafka: Kafka;
  /** Whose event log: stands in every event as its source. */
  readonly service: string;
  /** The relay role's connections to that log: two. */
  readonly pool: Pool;
  readonly onAlarm: OnAlarm;
}

export interface RelayMetrics {
  readonly leading: boolean;
  /** Rows handed to the broker and acknowledged since this process started. */
  readonly published: number;
  readonly blockedKeys: number;
  readonly diverged: boolean;
}

const subscriber = 'relay';

/**
 * Publishes what was committed, in commit order, at least once. Any number of replicas may run it: one of them leads.
 * While the broker is away events wait in the log.
 */
export class KafkaRelay {
  readonly #sender: KafkaSender;
  readonly #cursor: SnapshotCursor;
  readonly #blocked: BlockedKeys;
  readonly #lock: LeaderLock;
  readonly #given = Promise.withResolvers<never>();

  constructor({ kafka, service, pool, onAlarm }: KafkaRelayOptions) {
    this.#sender = new KafkaSender(kafka, service);
    this.#blocked = new BlockedKeys(subscriber, onAlarm);
    this.#given.promise.catch(() => {});
    this.#cursor = new SnapshotCursor({
      subscriber, source: pool, onAlarm,
      onBatch: (rows, position) => Promise.race([this.#publish(rows, position), this.#given.promise]),
      beforePoll: (position) => Promise.race([this.#prepare(position), this.#given.promise]),
    });
    this.#lock = new LeaderLock({
      pool, name: 'amana-relay', work: (lead) => this.#cursor.run(lead),
      onError: (error) => onAlarm({ code: 'stalled', subscriber, reason: reasonOf(error) }),
    });
  }

  start(): void {
    this.#lock.start();
  }

  /** Something was committed here: publish it now instead of at the next look, a quarter of a second later at most. */
  poke(): void {
    this.#cursor.poke();
  }

  metrics(): RelayMetrics {
    return { leading: this.#lock.leading, published: this.#cursor.delivered, blockedKeys: this.#blocked.size, diverged: this.#cursor.diverged };
  }

  /** Publishes what is left for at most `drainMs`, then ends, whatever the broker does. What is not sent is sent by the next leader. */
  async stop(drainMs = 5_000): Promise<void> {
    this.#cursor.end(drainMs);
    const timer = setTimeout(() => this.#given.reject(new Error('The time to drain is over')), drainMs);
    await this.#lock.stop();
    clearTimeout(timer);
    await this.#sender.close();
  }

  async #prepare(position: WindowPosition): Promise<void> {
    await this.#blocked.load(position.state);
    await this.#blocked.retry(position, (rows) => this.#sender.send(rows));
  }

  async #publish(rows: readonly PublishedRow[], position: WindowPosition): Promise<void> {
    for (const unsendable of await this.#sender.send(this.#blocked.passable(rows))) await this.#blocked.block(unsendable, position.since, position.state);
  }
}
