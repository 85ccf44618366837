import { producerOf } from '@amana/contracts';
import { openPool, type Pool } from '@amana/persistence';
import type { Kafka } from 'kafkajs';
import type { OnAlarm } from './alarm.ts';
import type { Inbox, InboxCounts } from './inbox.ts';
import { createKafka, type KafkaSettings, type OnKafkaLog, offsetResetText, patientRetry } from './kafka-client.ts';
import { KafkaRelay, type RelayMetrics } from './kafka-relay.ts';
import { KafkaSubscription } from './kafka-subscription.ts';
import { ensureTopics } from './kafka-topics.ts';
import { PostgresSubscription } from './postgres-subscription.ts';

export type BusKind = 'kafka' | 'postgres';

interface BusCommon {
  /** Whose events are published here. */
  readonly service: string;
  readonly onAlarm: OnAlarm;
}

export interface KafkaBusOptions extends BusCommon, Omit<KafkaSettings, 'clientId' | 'onLog' | 'retry'> {
  readonly kind: 'kafka';
  /** The relay role's connections to the service's database: two. */
  readonly relayPool: Pool;
  readonly onFatal: (error: Error) => void;
  readonly onLog?: OnKafkaLog;
  /** The sandbox lets services make their topics; elsewhere the operator does. */
  readonly createTopics?: boolean;
  /** Several networks may share a broker in tests: stands before the consumer's name in its group. */
  readonly groupPrefix?: string;
}

export interface PostgresBusOptions extends BusCommon {
  readonly kind: 'postgres';
  /** The bus role's URL of a producer's database. */
  readonly sourceUrl: (producer: string) => string;
}

export interface SubscriptionMetrics extends InboxCounts {
  readonly consumer: string;
  readonly ready: boolean;
  /** Messages known to be waiting; undefined where the bus does not tell. */
  readonly lag: number | undefined;
}

export interface BusMetrics {
  readonly relay: RelayMetrics | undefined;
  readonly subscriptions: readonly SubscriptionMetrics[];
}

/** How a service's events leave it and how others' reach it. */
export interface Bus {
  readonly kind: BusKind;
  /** Begins to publish. */
  start(): Promise<void>;
  /** Feeds this inbox with every topic its handlers need. Resolves when messages can arrive. */
  subscribe(inbox: Inbox): Promise<void>;
  /** Something was committed in this process: publish it now instead of within 250 ms. */
  poke(): void;
  /** Whether every subscription is connected. */
  ready(): boolean;
  metrics(): BusMetrics;
  /** Ends the subscriptions, then publishes what is left for at most `drainMs` (5 s). */
  stop(drainMs?: number): Promise<void>;
}

export function openBus(options: KafkaBusOptions | PostgresBusOptions): Bus {
  return options.kind === 'kafka' ? new KafkaBus(options) : new PostgresBus(options);
}

class KafkaBus implements Bus {
  readonly kind = 'kafka';
  readonly #options: KafkaBusOptions;
  readonly #settings: KafkaSettings;
  readonly #consuming: Kafka;
  readonly #relay: KafkaRelay;
  readonly #subscriptions: { inbox: Inbox; feed: KafkaSubscription }[] = [];

  constructor(options: KafkaBusOptions) {
    const { service, brokers, ssl, sasl, onAlarm, relayPool: pool } = options;
    this.#options = options;
    this.#settings = { brokers, clientId: `amana-${service}`, ...(ssl !== undefined && { ssl }), ...(sasl !== undefined && { sasl }), onLog: (level, text) => this.#onLog(level, text) };
    this.#consuming = createKafka({ ...this.#settings, retry: patientRetry });
    this.#relay = new KafkaRelay({ kafka: createKafka(this.#settings), service, pool, onAlarm });
  }

  async start(): Promise<void> {
    if (this.#options.createTopics) await ensureTopics(this.#settings);
    this.#relay.start();
  }

  async subscribe(inbox: Inbox): Promise<void> {
    const { createTopics, groupPrefix = '', onAlarm, onFatal } = this.#options;
    if (createTopics) await ensureTopics(this.#settings, { topics: inbox.topics, consumers: [{ consumer: inbox.consumer, topics: inbox.topics }] });
    const feed = new KafkaSubscription({ kafka: this.#consuming, inbox, groupId: `${groupPrefix}${inbox.consumer}`, onAlarm, onFatal });
    this.#subscriptions.push({ inbox, feed });
    await feed.start();
  }

  poke(): void {
    this.#relay.poke();
  }

  ready(): boolean {
    return this.#subscriptions.every(({ feed }) => feed.ready);
  }

  metrics(): BusMetrics {
    return { relay: this.#relay.metrics(), subscriptions: this.#subscriptions.map(({ inbox, feed }) => ({ consumer: inbox.consumer, ready: feed.ready, lag: feed.lag, ...inbox.counts })) };
  }

  async stop(drainMs?: number): Promise<void> {
    await Promise.all(this.#subscriptions.map(({ feed }) => feed.stop()));
    await this.#relay.stop(drainMs);
  }

  #onLog(level: Parameters<OnKafkaLog>[0], text: string): void {
    if (text.includes(offsetResetText)) this.#options.onAlarm({ code: 'offset-reset' });
    this.#options.onLog?.(level, text);
  }
}

/** The buses of this process: a commit here wakes every consumer here, so that none of them has to ask often. */
const localBuses = new Set<PostgresBus>();

class PostgresBus implements Bus {
  readonly kind = 'postgres';
  readonly #options: PostgresBusOptions;
  readonly #sources = new Map<string, Pool>();
  readonly #subscriptions: { inbox: Inbox; feed: PostgresSubscription }[] = [];

  constructor(options: PostgresBusOptions) {
    this.#options = options;
  }

  /** There is nothing to publish: consumers read the log itself. */
  start(): Promise<void> {
    localBuses.add(this);
    return Promise.resolve();
  }

  async subscribe(inbox: Inbox): Promise<void> {
    const sources = new Map([...new Set(inbox.topics.map(producerOf))].map((producer) => [producer, this.#open(producer)]));
    const feed = new PostgresSubscription({ inbox, sources, onAlarm: this.#options.onAlarm });
    this.#subscriptions.push({ inbox, feed });
    localBuses.add(this);
    await feed.start();
  }

  poke(): void {
    for (const bus of localBuses) bus.#wake(this.#options.service);
  }

  ready(): boolean {
    return this.#subscriptions.every(({ feed }) => feed.ready);
  }

  metrics(): BusMetrics {
    return { relay: undefined, subscriptions: this.#subscriptions.map(({ inbox, feed }) => ({ consumer: inbox.consumer, ready: feed.ready, lag: undefined, ...inbox.counts })) };
  }

  async stop(): Promise<void> {
    localBuses.delete(this);
    await Promise.all(this.#subscriptions.map(({ feed }) => feed.stop()));
    await Promise.all([...this.#sources.values()].map((pool) => pool.end()));
  }

  #wake(producer: string): void {
    for (const { feed } of this.#subscriptions) feed.poke(producer);
  }

  /** One connection for each subscription, for as long as it lives. */
  #open(producer: string): Pool {
    const pool = this.#sources.get(producer) ?? openPool(this.#options.sourceUrl(producer), 2);
    this.#sources.set(producer, pool);
    return pool;
  }
}
