import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { asAdmin } from './chaos.ts';

export interface Drained {
  /** Undefined when something was left after the time was over. */
  readonly tookMs: number | undefined;
  /** What was still under way at the last look, by name and number. */
  readonly left: readonly string[];
}

export interface DrainOptions {
  readonly adminUrl: string;
  readonly brokers: string | undefined;
  readonly services: readonly string[];
  readonly withinMs: number;
}

const lookEveryMs = 250;
/** Two looks in a row: what one consumer has just done may be on its way to the next. */
const looksInARow = 2;
/** Rows that come due so soon belong to the run: they are waited for. */
const dueSoonSeconds = 3;

/** Waits until nothing is under way any more: relays, consumer groups, due rows and parked messages. Throws nothing. */
export async function drain(options: DrainOptions): Promise<Drained> {
  const startedAtMs = Date.now();
  let left: readonly string[] = [];
  let quiet = 0;
  while (Date.now() - startedAtMs < options.withinMs) {
    left = await underWay(options).catch((error: unknown) => [`cannot look: ${String(error)}`]);
    quiet = left.length === 0 ? quiet + 1 : 0;
    if (quiet === looksInARow) return { tookMs: Date.now() - startedAtMs, left: [] };
    await delay(lookEveryMs);
  }
  return { tookMs: undefined, left };
}

async function underWay({ adminUrl, brokers, services }: DrainOptions): Promise<string[]> {
  const inDatabases = await Promise.all(services.map((service) => asAdmin(adminUrl, service, async (client) => {
    const found: string[] = [];
    const { rows: [counts] } = await client.query<{ relay: number; due: number; parked: number }>(`SELECT
      (SELECT count(*)::int FROM event e, relay_state r WHERE r.subscriber = 'relay' AND e.topic IS NOT NULL AND NOT pg_visible_in_snapshot(e.xid, r.snap)) AS relay,
      (SELECT count(*)::int FROM due WHERE due_at <= now() + interval '${dueSoonSeconds} seconds') AS due,
      (SELECT count(*)::int FROM inbox_parked p WHERE state = 'retry' AND NOT EXISTS (
        SELECT 1 FROM inbox_parked d WHERE d.consumer = p.consumer AND d.topic = p.topic AND d.pkey = p.pkey AND d.state = 'dead' AND d.pos < p.pos)) AS parked`);
    for (const [what, count] of Object.entries(counts!)) if (count > 0) found.push(`${service}: ${what} ${count}`);
    const cursors = await client.query<{ subscriber: string; snap: string }>('SELECT subscriber, snap::text AS snap FROM relay_state WHERE subscriber LIKE \'bus:%\'');
    return { found, cursors: cursors.rows };
  })));
  const unread = brokers === undefined
    ? await Promise.all(inDatabases.flatMap(({ cursors }) => cursors.map((cursor) => unreadOf(adminUrl, cursor))))
    : [await lagOf(brokers, services)];
  return [...inDatabases.flatMap(({ found }) => found), ...unread.flat()];
}

/** On the Postgres bus: what a producer has published and this cursor has not yet passed. */
async function unreadOf(adminUrl: string, cursor: { subscriber: string; snap: string }): Promise<string[]> {
  const producer = cursor.subscriber.split(':')[2]!;
  return await asAdmin(adminUrl, producer, async (client) => {
    const { rows: [row] } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM event WHERE topic IS NOT NULL AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)', [cursor.snap]);
    return row!.count > 0 ? [`${cursor.subscriber}: unread ${row!.count}`] : [];
  });
}

async function lagOf(brokers: string, services: readonly string[]): Promise<string[]> {
  const admin = new kafkajs.Kafka({ clientId: 'faults-drain', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 2 } }).admin();
  await admin.connect();
  try {
    const ends = new Map<string, Promise<Map<number, bigint>>>();
    const lags = await Promise.all(services.map(async (service) => {
      const groups = await admin.fetchOffsets({ groupId: service });
      const lag = await Promise.all(groups.map(async ({ topic, partitions }) => {
        if (!ends.has(topic)) ends.set(topic, endsOf(admin, topic));
        const end = await ends.get(topic)!;
        return partitions.reduce((sum, { partition, offset }) => sum + ((end.get(partition) ?? 0n) - (BigInt(offset) < 0n ? 0n : BigInt(offset))), 0n);
      }));
      return { service, lag: lag.reduce((sum, one) => sum + one, 0n) };
    }));
    return lags.filter(({ lag }) => lag > 0n).map(({ service, lag }) => `${service}: lag ${lag}`);
  } finally {
    await admin.disconnect();
  }
}

async function endsOf(admin: Admin, topic: string): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
}
