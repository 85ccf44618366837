import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '@amana/contracts';
import { inTransaction, plain } from '@amana/persistence';
import { eventually, throwawayDatabase } from '@amana/testing';
import { describeKafka } from '../../../infra/local/src/describe-kafka.ts';
import { type Kafka, startKafka } from '../../../infra/local/src/kafka.ts';
import { type Postgres, startPostgres } from '../../../infra/local/src/postgres.ts';
import { acknowledged, ConformanceNetwork, consumerMigrations, consumerName, type Replica, topic } from './conformance-network.ts';
import { listParked, replayDead, skipDead } from './parked-messages.ts';

const data = JSON.stringify({ referralId: randomUUID(), fromOrg: randomUUID(), toOrg: randomUUID() });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

function conformance(kind: 'kafka' | 'postgres'): void {
  let stateDir: string;
  let postgres: Postgres;
  let kafka: Kafka | undefined;
  let net: ConformanceNetwork;
  let consumer: Replica;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-bus-'));
    postgres = await startPostgres({ stateDir });
    kafka = kind === 'kafka' ? await startKafka({ stateDir, throwaway: true }) : undefined;
    const databases = { producer: await throwawayDatabase(postgres.url, 'referral'), consumer: await throwawayDatabase(postgres.url, consumerName, consumerMigrations) };
    net = new ConformanceNetwork({ kind, ...databases, ...(kafka && { brokers: kafka.brokers }) });
    await net.prepareTopics();
  }, 300_000);

  afterAll(async () => {
    await net?.close();
    await kafka?.stop();
    await postgres?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }, 60_000);

  beforeEach(async () => {
    net.alarms.length = 0;
    await net.startProducer();
    consumer = await net.startConsumer();
  }, 60_000);

  afterEach(() => net.stopReplicas(), 60_000);

  /** The effects of a key once there are so many. */
  const came = (key: string, count: number, withinMs = 20_000): Promise<number[]> => eventually(async () => {
    const versions = await net.effects(key);
    return versions.length >= count && versions;
  }, { withinMs, what: `${count} effects of ${key}` });
  const dead = async (key: string) => (await listParked(net.consumerDb, { state: 'dead' })).find((message) => message.key === key);

  it('gives dead letters to a poison message, an unknown version and two megabytes, and holds up nobody else', async () => {
    const [poison, future, large, good] = upTo(4).map(() => randomUUID()) as [string, string, string, string];
    await net.inject({ key: poison, dataJson: '"not an object"' });
    await net.inject({ key: future, type: 'referral.acknowledged.v9', dataJson: data });
    await net.inject({ key: large, dataJson: JSON.stringify('x'.repeat(2_000_000)) });
    await net.inject({ key: randomUUID(), type: 'referral.declined.v1', dataJson: '{}' });
    await net.write(good, 1);
    expect(await came(good, 1)).toEqual([1]);
    for (const [key, reason] of [[poison, 'schema:invalid_type'], [future, 'version-unknown'], [large, 'too-large']] as const) {
      const message = await eventually(() => dead(key), { what: `the dead letter of ${reason}` });
      expect(message).toMatchObject({ reason, topic, consumer: consumerName, attempts: 1 });
    }
    const letters = await net.consumerDb.query<{ data: Record<string, unknown> }>('SELECT data FROM event WHERE topic = $1', [`${topic}.${consumerName}.dlt`]);
    expect(letters.rows).toHaveLength(3);
    const [withoutBody] = letters.rows.filter((row) => row.data.key === large);
    expect(withoutBody!.data).toMatchObject({ reason: 'too-large', sizeBytes: 2_000_002, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(withoutBody!.data).not.toHaveProperty('bodyBase64');
    const [whole] = letters.rows.filter((row) => row.data.key === future);
    expect(whole!.data).toMatchObject({ headers: { ce_type: 'referral.acknowledged.v9', ce_source: '/amana/referral' } });
    expect(JSON.parse(Buffer.from(whole!.data.bodyBase64 as string, 'base64').toString())).toEqual(JSON.parse(data));
    await eventually(async () => kind === 'postgres' || consumer.bus.metrics().relay!.published >= 3, { what: 'the letters on their topic' });
    expect(net.alarms.filter((alarm) => alarm.code === 'dead-letter')).toHaveLength(3);
  }, 60_000);

  it('keeps a key blocked behind its dead message until that is replayed or skipped', async () => {
    const [replayed, skipped] = [randomUUID(), randomUUID()];
    net.behave = () => { throw new Refusal('illegal-transition'); };
    await Promise.all([replayed, skipped].map((key) => net.write(key, 1)));
    const [first, second] = [await eventually(() => dead(replayed)), await eventually(() => dead(skipped))];
    expect(first.reason).toBe('refusal:illegal-transition');
    net.behave = () => {};
    await Promise.all([replayed, skipped].map((key) => net.write(key, 2)));
    await eventually(async () => (await listParked(net.consumerDb, { state: 'retry' })).filter(({ key }) => key === replayed || key === skipped).length === 2);
    await inTransaction(net.consumerDb, [], (tx) => replayDead(tx, first));
    await inTransaction(net.consumerDb, [], (tx) => skipDead(tx, second));
    expect(await came(replayed, 2)).toEqual([1, 2]);
    expect(await came(skipped, 1)).toEqual([2]);
    await expect(inTransaction(net.consumerDb, [], (tx) => replayDead(tx, second))).rejects.toMatchObject({ code: 'not-found' });
  }, 60_000);

  it('never shows a write that was rolled back', async () => {
    const [key, other] = [randomUUID(), randomUUID()];
    await expect(inTransaction(net.producerDb, [acknowledged(key, 1)], () => { throw new Error('taken back'); })).rejects.toThrow('taken back');
    await net.write(other, 1);
    expect(await came(other, 1)).toEqual([1]);
    expect(await net.effects(key)).toEqual([]);
  }, 60_000);

  it('keeps the order of each key, and delivers everything', async () => {
    const keys = upTo(20).map(() => randomUUID());
    for (const version of upTo(10)) await Promise.all(keys.map((key) => net.write(key, version)));
    for (const key of keys) expect(await came(key, 10)).toEqual(upTo(10));
  }, 60_000);

  it('gives a message that comes again no second effect', async () => {
    const keys = upTo(30).map(() => randomUUID());
    await Promise.all(keys.map((key) => net.write(key, 1)));
    for (const key of keys) expect(await came(key, 1)).toEqual([1]);
    await net.stopReplicas();
    await net.forgetDelivery();
    await net.startProducer();
    const { inbox } = await net.startConsumer();
    await Promise.all(keys.map((key) => net.write(key, 2)));
    for (const key of keys) expect(await came(key, 2)).toEqual([1, 2]);
    expect(inbox.counts.duplicates).toBeGreaterThanOrEqual(30);
  }, 60_000);

  it('loses neither effect nor event when the connection breaks between the effect and its commit', async () => {
    const key = randomUUID();
    let broken = 0;
    net.behave = async (_, tx) => {
      if (broken++ > 0) return;
      await tx.flush();
      await tx.query(plain('SELECT pg_terminate_backend(pg_backend_pid())')).catch(() => {});
    };
    await net.write(key, 1);
    expect(await came(key, 1)).toEqual([1]);
    expect(broken).toBe(2);
    const rows = await net.consumerDb.query('SELECT i.outcome FROM effect e JOIN inbox i ON i.event_id = e.event_id WHERE e.key = $1', [key]);
    expect(rows.rows).toEqual([{ outcome: 'done' }]);
  }, 60_000);

  it('tries again at once what a deadlock or another writer has stopped', async () => {
    const key = randomUUID();
    const failures = [Object.assign(new Error('deadlock'), { code: '40P01' }), Object.assign(new Error('taken'), { code: '23505', constraint: 'event_pkey' })];
    net.behave = () => { const failure = failures.shift(); if (failure) throw failure; };
    await net.write(key, 1);
    expect(await came(key, 1)).toEqual([1]);
    expect((await net.consumerDb.query('SELECT 1 FROM inbox_parked WHERE pkey = $1', [key])).rowCount).toBe(0);
  }, 60_000);

  it('parks a key that keeps failing in its order, while the others flow', async () => {
    const [parked, flowing] = [randomUUID(), randomUUID()];
    let fails = true;
    net.behave = ({ key }) => { if (fails && key === parked) throw new Error('not now'); };
    for (const version of upTo(5)) await Promise.all([net.write(parked, version), net.write(flowing, version)]);
    expect(await came(flowing, 5)).toEqual(upTo(5));
    expect(await net.effects(parked)).toEqual([]);
    fails = false;
    expect(await came(parked, 5)).toEqual(upTo(5));
  }, 60_000);

  it('neither waits for an open writer nor loses what it commits late', async () => {
    const [late, early] = [randomUUID(), randomUUID()];
    await inTransaction(net.producerDb, [acknowledged(late, 1)], async () => {
      await net.write(early, 1);
      expect(await came(early, 1, 5_000)).toEqual([1]);
      expect(await net.effects(late)).toEqual([]);
    });
    expect(await came(late, 1)).toEqual([1]);
  }, 60_000);

  it('never gives version 2 before version 1, though its transaction began first', async () => {
    const [key, busy] = [randomUUID(), randomUUID()];
    await inTransaction(net.producerDb, [acknowledged(busy, 1)], async (tx) => {
      await net.write(key, 1);
      tx.write(acknowledged(key, 2));
      await tx.flush();
    });
    expect(await came(key, 2)).toEqual([1, 2]);
  }, 60_000);

  it('stops with what it had begun, and goes on there', async () => {
    const keys = upTo(300).map(() => randomUUID());
    // As many at a time as there are connections: on a busy machine the last of 300 would wait too long for one.
    for (let start = 0; start < keys.length; start += 8) await Promise.all(keys.slice(start, start + 8).map((key) => net.write(key, 1)));
    await net.stopReplicas();
    await net.startProducer();
    await net.startConsumer();
    for (const key of keys) expect(await came(key, 1)).toEqual([1]);
  }, 60_000);

  it('has said how far it had come when it stops: nothing is read twice', async () => {
    const key = randomUUID();
    await net.write(key, 1);
    expect(await came(key, 1)).toEqual([1]);
    await net.stopReplicas();
    await net.startProducer();
    const { inbox } = await net.startConsumer();
    await net.write(key, 2);
    expect(await came(key, 2)).toEqual([1, 2]);
    expect(inbox.counts.duplicates).toBe(0);
  }, 60_000);

  it('shares the work of two replicas, and goes on with one, with one effect for each event', async () => {
    const keys = upTo(24).map(() => randomUUID());
    const second = await net.startConsumer();
    for (const version of upTo(4)) await Promise.all(keys.map((key) => net.write(key, version)));
    await second.stop();
    await Promise.all(keys.map((key) => net.write(key, 5)));
    for (const key of keys) expect(await came(key, 5)).toEqual(upTo(5));
  }, 60_000);

  it('loses nothing when the server that carries it is killed', async () => {
    const keys = upTo(40).map(() => randomUUID());
    const written = new Set<string>();
    const engine = kafka ?? postgres;
    const writing = Promise.all(keys.map(async (key, index) => {
      await new Promise((resolve) => { setTimeout(resolve, index * 20); });
      await net.write(key, 1).then(() => written.add(key), () => {});
    }));
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    await engine.kill();
    await engine.restart();
    await writing;
    const last = randomUUID();
    await eventually(() => net.write(last, 1).then(() => true), { what: 'a write after the restart' });
    for (const key of [...written, last]) expect(await came(key, 1, 60_000)).toEqual([1]);
    expect(net.alarms.filter((alarm) => alarm.reason === 'fatal')).toEqual([]);
  }, 120_000);
}

describe('the bus over Postgres', () => { conformance('postgres'); });
describeKafka('the bus over Kafka', () => { conformance('kafka'); });
