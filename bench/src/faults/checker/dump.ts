import { randomUUID } from 'node:crypto';
import kafkajs, { type Kafka } from 'kafkajs';
import pg from 'pg';
import type { JournalEntry } from '../journal.ts';

export interface LoggedEvent {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  /** null: private. */
  readonly topic: string | null;
  readonly key: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly cause: string | null;
  readonly correlation: string | null;
  readonly atMs: number;
  readonly position: number;
}

export interface InboxRow {
  readonly eventId: string;
  readonly consumer: string;
  readonly topic: string;
  readonly outcome: string;
  readonly partition: number;
  readonly offset: number;
  /** When the transaction began in which the event took effect, in microseconds. */
  readonly atMicros: number;
}

export interface ParkedRow {
  readonly eventId: string;
  readonly consumer: string;
  readonly topic: string;
  readonly key: string;
  readonly state: string;
  readonly reason: string | null;
}

export interface IdempotencyRow {
  readonly client: string;
  readonly route: string;
  readonly key: string;
  readonly stream: string;
  readonly version: number;
}

export interface DatabaseDump {
  readonly events: readonly LoggedEvent[];
  readonly inbox: readonly InboxRow[];
  readonly parked: readonly ParkedRow[];
  readonly idempotency: readonly IdempotencyRow[];
  readonly due: readonly { readonly kind: string; readonly key: string }[];
  /** Keys of the log that the relay could not send. */
  readonly blocked: readonly string[];
}

export interface TopicMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly id: string | null;
  readonly type: string | null;
  /** The stream's version that the event made; null where the key is not the stream. */
  readonly version: number | null;
}

/** Everything that is judged, as it stood after the run: read by plain SQL and a plain client, by no code of the services. */
export interface Dump {
  readonly journal: readonly JournalEntry[];
  readonly databases: Readonly<Record<string, DatabaseDump>>;
  readonly board: readonly { readonly referralId: string; readonly status: string; readonly version: number; readonly kind: string; readonly redirectedTo: string | null }[];
  readonly beds: readonly { readonly holdId: string; readonly bedId: string; readonly state: string; readonly fromMs: number; readonly untilMs: number }[];
  readonly holds: readonly { readonly holdId: string; readonly referralId: string; readonly state: string }[];
  readonly shelterList: readonly string[];
  readonly items: readonly { readonly itemId: string; readonly organisationId: string }[];
  readonly auditEntries: readonly string[];
  /** Undefined where there is no broker. */
  readonly messages: readonly TopicMessage[] | undefined;
}

export interface DumpOptions {
  readonly adminUrl: string;
  readonly brokers: string | undefined;
  readonly services: readonly string[];
  readonly journal: readonly JournalEntry[];
}

const readTopicsWithinMs = 60_000;

/** Reads all of it. Nothing may be under way any more. */
export async function takeDump({ adminUrl, brokers, services, journal }: DumpOptions): Promise<Dump> {
  const databases: Record<string, DatabaseDump> = {};
  for (const service of services) databases[service] = await inDatabase(adminUrl, service, dumpDatabase);
  const rowsOf = <Row extends pg.QueryResultRow>(service: string, text: string): Promise<Row[]> => inDatabase(adminUrl, service, async (client) => (await client.query<Row>(text)).rows);
  return {
    journal, databases,
    board: await rowsOf('referral', 'SELECT referral_id AS "referralId", status, version, kind, redirected_to AS "redirectedTo" FROM referral_board'),
    beds: await rowsOf('shelter', `SELECT hold_id AS "holdId", bed_id AS "bedId", state, extract(epoch FROM lower(stay))::float8 * 1000 AS "fromMs",
      coalesce(extract(epoch FROM upper(stay))::float8 * 1000, 'infinity') AS "untilMs" FROM bed_hold`),
    holds: await rowsOf('shelter', 'SELECT hold_id AS "holdId", referral_id AS "referralId", state FROM hold'),
    shelterList: (await rowsOf<{ id: string }>('shelter', 'SELECT referral_id AS id FROM shelter_referral')).map(({ id }) => id),
    items: await rowsOf('notifications', 'SELECT item_id AS "itemId", organisation_id AS "organisationId" FROM item'),
    auditEntries: (await rowsOf<{ id: string }>('audit', 'SELECT event_id AS id FROM audit_entry')).map(({ id }) => id),
    messages: brokers === undefined ? undefined : await readTopics(brokers),
  };
}

async function dumpDatabase(client: pg.Client): Promise<DatabaseDump> {
  const rows = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => (await client.query<Row>(text)).rows;
  return {
    events: await rows(`SELECT id, stream, version, type, topic, key, data, meta->>'cause' AS cause, meta->>'correlation' AS correlation,
      extract(epoch FROM at)::float8 * 1000 AS "atMs", position::float8 AS position FROM event ORDER BY position`),
    inbox: await rows(`SELECT event_id AS "eventId", consumer, topic, outcome, part AS partition, off::float8 AS "offset", (extract(epoch FROM at) * 1000000)::float8 AS "atMicros" FROM inbox`),
    parked: await rows('SELECT event_id AS "eventId", consumer, topic, pkey AS key, state, last_error AS reason FROM inbox_parked'),
    idempotency: await rows('SELECT client, route, key, stream, version FROM idempotency'),
    due: await rows('SELECT kind, key FROM due'),
    blocked: (await rows<{ subscriber: string }>('SELECT subscriber FROM relay_state WHERE subscriber LIKE \'%!%\' AND epoch > 0')).map(({ subscriber }) => subscriber),
  };
}

async function inDatabase<T>(adminUrl: string, service: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const url = new URL(adminUrl);
  url.pathname = `/amana_${service}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Every message of every topic of the network, from the first one. */
async function readTopics(brokers: string): Promise<TopicMessage[]> {
  const kafka = new kafkajs.Kafka({ clientId: 'faults-checker', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const left = new Map<string, number>();
  try {
    for (const topic of (await admin.listTopics()).filter((name) => !name.startsWith('__'))) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) if (Number(high) > 0) left.set(`${topic}/${partition}`, Number(high));
    }
  } finally {
    await admin.disconnect();
  }
  return left.size === 0 ? [] : await readUntil(kafka, left);
}

async function readUntil(kafka: Kafka, left: Map<string, number>): Promise<TopicMessage[]> {
  const messages: TopicMessage[] = [];
  const consumer = kafka.consumer({ groupId: `faults-checker-${randomUUID()}`, allowAutoTopicCreation: false, maxWaitTimeInMs: 50 });
  await consumer.connect();
  let late: NodeJS.Timeout | undefined;
  try {
    await consumer.subscribe({ topics: [...new Set([...left.keys()].map((place) => place.split('/')[0]!))], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      late = setTimeout(() => reject(new Error(`Not read to the end: ${[...left.keys()].join(', ')}`)), readTopicsWithinMs);
      consumer.run({
        autoCommit: false,
        eachBatch: ({ batch: { topic, partition, messages: batch } }) => {
          for (const { offset, key, headers } of batch) {
            const header = (name: string): string | null => headers?.[name]?.toString() ?? null;
            const version = header('ce_aggregateversion');
            messages.push({ topic, partition, offset: Number(offset), key: key?.toString() ?? null, id: header('ce_id'), type: header('ce_type'), version: version === null ? null : Number(version) });
          }
          const last = batch.at(-1);
          if (last && Number(last.offset) + 1 >= (left.get(`${topic}/${partition}`) ?? 0)) left.delete(`${topic}/${partition}`);
          if (left.size === 0) resolve();
          return Promise.resolve();
        },
      }).catch(reject);
    });
  } finally {
    clearTimeout(late);
    await consumer.disconnect();
  }
  return messages;
}
