import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Stack } from '@amana/local';
import { createKafka } from '@amana/messaging';
import { openPool } from '@amana/persistence';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { Place } from './leak-scan.ts';

const topicsWithinMs = 60_000;
/** Read through the engine that keeps them, not as its files. */
const engineData = new Set(['postgres', 'kafka/data']);

/** Everything that a running network has written: rows, messages, logs, traces and the rest of its state folder, metrics. */
export async function dumpOf(stack: Stack, options: { metricsUrls?: readonly string[] } = {}): Promise<Place[]> {
  const metricsUrls = options.metricsUrls ?? stack.replicas.map((replica) => `${replica.url}/v1/${replica.service}/metrics`);
  const tables = await Promise.all([...stack.urls].map(([service, { ownerUrl }]) => tablesOf(service, ownerUrl)));
  return [
    ...tables.flat(),
    ...(stack.brokers ? await topicsOf(stack.brokers) : []),
    ...await filesOf(stack.options.stateDir),
    ...await Promise.all(metricsUrls.map(async (url) => ({ where: `metrics ${url}`, content: Buffer.from(await (await fetch(url)).text()) }))),
  ];
}

/** One place a table, whatever its schema. Bytes stay bytes; everything else is searched as JSON. */
async function tablesOf(service: string, ownerUrl: string): Promise<Place[]> {
  const pool = openPool(ownerUrl, 1);
  try {
    const { rows } = await pool.query<{ name: string; sql: string }>(`
      SELECT n.nspname || '.' || c.relname AS name, format('SELECT * FROM %I.%I', n.nspname, c.relname) AS sql FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`);
    const places: Place[] = [];
    for (const { name, sql } of rows) {
      const values = (await pool.query<Record<string, unknown>>(sql)).rows.flatMap(Object.values);
      places.push({ where: `table ${service}.${name}`, content: joined(values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))))) });
    }
    return places;
  } finally {
    await pool.end();
  }
}

/** One place a topic that holds anything, dead letters and the broker's own among them, from the first message to the last. */
async function topicsOf(brokers: string): Promise<Place[]> {
  const kafka = createKafka({ brokers: brokers.split(','), clientId: 'amana-dump' });
  const ends = await endsOf(kafka);
  const read = new Map<string, Buffer[]>();
  const left = new Set(ends.keys());
  const done = Promise.withResolvers<void>();
  const consumer = kafka.consumer({ groupId: `amana-dump-${randomUUID()}` });
  const late = setTimeout(() => done.reject(new Error(`Not read to the end in time: ${[...left].join(', ')}`)), topicsWithinMs);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set([...ends.keys()].map((end) => end.slice(0, end.lastIndexOf('/'))))], fromBeginning: true });
    await consumer.run({
      eachBatch: ({ batch }) => {
        const contents = read.get(batch.topic) ?? [];
        read.set(batch.topic, contents);
        contents.push(...batch.messages.map(contentOf));
        const end = `${batch.topic}/${batch.partition}`;
        if (BigInt(batch.lastOffset()) + 1n >= (ends.get(end) ?? 0n)) left.delete(end);
        if (left.size === 0) done.resolve();
        return Promise.resolve();
      },
    });
    await done.promise;
  } finally {
    clearTimeout(late);
    await consumer.disconnect();
  }
  return [...read].map(([topic, contents]) => ({ where: `topic ${topic}`, content: joined(contents) }));
}

/** Where each partition that is not empty ends now, by `topic/partition`. */
async function endsOf(kafka: Kafka): Promise<Map<string, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = await admin.listTopics();
    const offsets = await Promise.all(topics.map(async (topic) => ({ topic, partitions: await admin.fetchTopicOffsets(topic) })));
    return new Map(offsets.flatMap(({ topic, partitions }) => partitions.filter(({ low, high }) => BigInt(high) > BigInt(low)).map(({ partition, high }) => [`${topic}/${partition}`, BigInt(high)] as const)));
  } finally {
    await admin.disconnect();
  }
}

function contentOf({ key, value, headers }: KafkaMessage): Buffer {
  return joined([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0), ...Object.entries(headers ?? {}).flatMap(([name, text]) => [Buffer.from(name), ...[text ?? ''].flat().map((part) => Buffer.from(part))])]);
}

async function filesOf(folder: string): Promise<Place[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const kept = paths.filter((path) => ![...engineData].some((data) => path.startsWith(`${data}/`)));
  return await Promise.all(kept.map(async (path) => ({ where: `file ${path}`, content: await readFile(join(folder, path)) })));
}

function joined(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]));
}
