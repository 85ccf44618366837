import { randomUUID } from 'node:crypto';
import { referralEvents } from '@amana/contracts';
import {
  append, Clock, Database, DueWorker, inTransaction, type MigrationClass, newEventId, openPool, type Pool, type ServiceUrls, type Transaction,
} from '@amana/persistence';
import { Partitioners } from 'kafkajs';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Alarm } from './alarm.ts';
import { type Bus, openBus } from './bus.ts';
import { encode, type PublishedRow, type ReceivedEvent } from './codec.ts';
import { Inbox } from './inbox.ts';
import { createKafka } from './kafka-client.ts';
import { ensureTopics } from './kafka-topics.ts';
import { parkedKind } from './parked-rows.ts';

export const topic = 'referral.referral.v1';
export const handledType = 'referral.acknowledged.v1';
export const consumerName = 'shelter';

/** What the consumer of the conformance suite does with an event: it writes down that it has seen it. */
export class EffectTable1700000001000 implements MigrationInterface {
  name = 'EffectTable1700000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid NOT NULL, key text NOT NULL, version int)');
  }

  async down(): Promise<void> {}
}

export const consumerMigrations: readonly MigrationClass[] = [EffectTable1700000001000];

export interface NetworkOptions {
  readonly kind: 'kafka' | 'postgres';
  readonly producer: ServiceUrls;
  readonly consumer: ServiceUrls;
  readonly brokers?: string;
}

export interface Replica {
  readonly bus: Bus;
  readonly inbox: Inbox;
  stop(): Promise<void>;
}

/** A producer, a consumer and a bus between them: the same for both buses, so that one suite holds both to one behaviour. */
export class ConformanceNetwork {
  readonly options: NetworkOptions;
  readonly alarms: Alarm[] = [];
  /** What the consumer does before it notes an event; a test lets it fail here. */
  behave: (event: ReceivedEvent, tx: Transaction) => Promise<void> | void = () => {};
  readonly producerDb: Pool;
  readonly producerOwner: Pool;
  readonly consumerDb: Pool;
  #stops: (() => Promise<unknown>)[] = [];

  constructor(options: NetworkOptions) {
    this.options = options;
    this.producerDb = openPool(options.producer.appUrl, 10);
    this.producerOwner = openPool(options.producer.ownerUrl, 2);
    this.consumerDb = openPool(options.consumer.appUrl, 2);
  }

  async prepareTopics(): Promise<void> {
    if (this.options.kind === 'postgres') return;
    await ensureTopics(this.#kafkaSettings(), { topics: [topic], consumers: [{ consumer: consumerName, topics: [topic] }], maxMessageBytes: 4 * 1024 * 1024 });
  }

  /** The producing service: its relay, where the bus has one. */
  async startProducer(): Promise<{ bus: Bus; stop(): Promise<void> }> {
    const database = new Database(this.options.producer);
    const bus = this.#openBus('referral', database);
    await bus.start();
    return this.#stoppable({ bus, stop: async () => { await bus.stop(); await database.close(); } });
  }

  /** One replica of the consuming service: inbox, due worker, and its own relay for dead letters. */
  async startConsumer(): Promise<Replica> {
    const database = new Database(this.options.consumer);
    const bus = this.#openBus(consumerName, database);
    const inbox = new Inbox({
      consumer: consumerName, pool: database.bus, onAlarm: (alarm) => { this.alarms.push(alarm); }, onCommitted: () => bus.poke(), backOff: { waitsMs: [100], attempts: 50 },
      handlers: new Map([[handledType, (event: ReceivedEvent, tx: Transaction) => this.#note(event, tx)]]),
    });
    const due = new DueWorker({ pool: database.due, clock: new Clock(), handlers: new Map([[parkedKind, inbox.parkedHandler]]), onError: () => {} });
    await bus.start();
    await bus.subscribe(inbox);
    due.start();
    return this.#stoppable({ bus, inbox, stop: async () => { await due.stop(); await bus.stop(); await database.close(); } });
  }

  /** Commits the next event of a stream whose id is also its bus key. */
  async write(key: string, version: number): Promise<void> {
    await inTransaction(this.producerDb, [], (tx) => { tx.write(acknowledged(key, version)); });
  }

  /** Puts something on the bus that the producing service would never write. */
  async inject(message: { key: string; type?: string; dataJson: string }): Promise<string> {
    const row: PublishedRow = {
      id: newEventId(), stream: randomUUID(), version: 1, type: message.type ?? handledType, topic, key: message.key, dataJson: message.dataJson, meta: {}, at: new Date(), position: '0',
    };
    if (this.options.kind === 'kafka') await this.#produce(row);
    else {
      await this.producerOwner.query('INSERT INTO event (id, stream, version, type, topic, key, data, meta, at) VALUES ($1, $2, 1, $3, $4, $5, $6, \'{}\', now())',
        [row.id, row.stream, row.type, topic, row.key, row.dataJson]);
    }
    return row.id;
  }

  /** Versions of a key in the order in which they took effect. */
  async effects(key: string): Promise<number[]> {
    const rows = await this.consumerDb.query<{ version: number }>('SELECT version FROM effect WHERE key = $1 ORDER BY n', [key]);
    return rows.rows.map((row) => row.version);
  }

  /** Forgets how far delivery has come, as a restored backup would: the next leader sends everything again. */
  async forgetDelivery(): Promise<void> {
    const url = this.options.kind === 'kafka' ? this.options.producer.ownerUrl : this.options.consumer.ownerUrl;
    const pool = openPool(url, 1);
    await pool.query(`UPDATE relay_state SET snap = '1:1:' WHERE subscriber NOT LIKE '%!%'`);
    await pool.end();
  }

  async stopReplicas(): Promise<void> {
    const stops = this.#stops;
    this.#stops = [];
    await Promise.all(stops.map((stop) => stop()));
    this.behave = () => {};
  }

  async close(): Promise<void> {
    await this.stopReplicas();
    await Promise.all([this.producerDb.end(), this.producerOwner.end(), this.consumerDb.end()]);
  }

  async #note(event: ReceivedEvent, tx: Transaction): Promise<void> {
    tx.write({ name: 'effect', text: 'INSERT INTO effect (event_id, key, version) VALUES ($1, $2, $3)', values: [event.id, event.key, event.aggregateVersion ?? 0] });
    await this.behave(event, tx);
  }

  #openBus(service: string, database: Database): Bus {
    const onAlarm = (alarm: Alarm): void => { this.alarms.push(alarm); };
    return this.options.kind === 'kafka'
      ? openBus({ kind: 'kafka', service, relayPool: database.relay, onAlarm, onFatal: () => { this.alarms.push({ code: 'consumer-crashed', reason: 'fatal' }); }, ...this.#kafkaSettings() })
      : openBus({ kind: 'postgres', service, sourceUrl: () => this.options.producer.busUrl, onAlarm });
  }

  #kafkaSettings(): { brokers: string[]; clientId: string } {
    return { brokers: [this.options.brokers!], clientId: 'conformance' };
  }

  async #produce(row: PublishedRow): Promise<void> {
    const producer = createKafka(this.#kafkaSettings()).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [encode(row, 'referral')] });
    await producer.disconnect();
  }

  /** Stops once, however often it is asked: by the test or after it. */
  #stoppable<T extends { stop(): Promise<void> }>(replica: T): T {
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= replica.stop());
    this.#stops.push(stop);
    return { ...replica, stop };
  }
}

/** The statement that appends one event of the handled type. */
export function acknowledged(key: string, version: number) {
  const data = { referralId: key, fromOrg: randomUUID(), toOrg: randomUUID() };
  return append([{ stream: key, version, definition: referralEvents.ReferralAcknowledged, key, data }], {}, new Date()).statement;
}
