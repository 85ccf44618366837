import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { inTransaction, newEventId, openPool, type Pool, type ServiceUrls } from '@amana/persistence';
import { eventually, throwawayDatabase } from '@amana/testing';
import type { Consumer, Kafka as Client } from 'kafkajs';
import { describeKafka } from '../../../infra/local/src/describe-kafka.ts';
import { type Kafka, startKafka } from '../../../infra/local/src/kafka.ts';
import { type Postgres, startPostgres } from '../../../infra/local/src/postgres.ts';
import type { Alarm } from './alarm.ts';
import { acknowledged, topic } from './conformance-network.ts';
import { createKafka, patientRetry } from './kafka-client.ts';
import { KafkaRelay } from './kafka-relay.ts';
import { ensureTopics } from './kafka-topics.ts';

describeKafka('the relay to Kafka', () => {
  let stateDir: string;
  let postgres: Postgres;
  let broker: Kafka;
  let urls: ServiceUrls;
  let app: Pool;
  let owner: Pool;
  let client: Client;
  let consumer: Consumer;
  const alarms: Alarm[] = [];
  /** What is on the broker, by key, in the order of first arrival: a relay may send a thing twice, the inbox knows. */
  const arrived = new Map<string, string[]>();
  let relays: { relay: KafkaRelay; stop: (drainMs?: number) => Promise<void> }[] = [];

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-relay-'));
    postgres = await startPostgres({ stateDir, durable: false });
    broker = await startKafka({ stateDir, throwaway: true });
    urls = await throwawayDatabase(postgres.url, 'referral');
    [app, owner] = [openPool(urls.appUrl, 8), openPool(urls.ownerUrl, 2)];
    const settings = { brokers: [broker.brokers], clientId: 'relay-spec' };
    await ensureTopics(settings, { topics: [topic] });
    client = createKafka(settings);
    consumer = createKafka({ ...settings, retry: patientRetry }).consumer({ groupId: 'relay-spec', retry: patientRetry });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => {
      const key = message.key!.toString();
      arrived.set(key, [...new Set([...arrived.get(key) ?? [], message.headers!.ce_aggregateversion!.toString()])]);
    } });
  }, 300_000);

  afterEach(async () => {
    await Promise.all(relays.map(({ stop }) => stop()));
    relays = [];
    alarms.length = 0;
  }, 30_000);

  afterAll(async () => {
    await consumer?.disconnect();
    await Promise.all([app?.end(), owner?.end()]);
    await broker?.stop();
    await postgres?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }, 60_000);

  function startRelay() {
    const pool = openPool(urls.relayUrl, 2);
    const relay = new KafkaRelay({ kafka: client, service: 'referral', pool, onAlarm: (alarm) => { alarms.push(alarm); } });
    relay.start();
    let stopped: Promise<void> | undefined;
    const started = { relay, stop: (drainMs?: number) => (stopped ??= relay.stop(drainMs).then(() => pool.end())) };
    relays.push(started);
    return started;
  }

  const write = (key: string, version = 1): Promise<void> => inTransaction(app, [], (tx) => { tx.write(acknowledged(key, version)); });
  const insert = (row: { key: string; topic: string; dataJson: string }): Promise<unknown> => owner.query(
    `INSERT INTO event (id, stream, version, type, topic, key, data, meta, at) VALUES ($1, $2, 1, 'referral.acknowledged.v1', $3, $4, $5, '{}', now())`,
    [newEventId(), randomUUID(), row.topic, row.key, row.dataJson]);
  const came = (key: string, versions: readonly string[], withinMs = 20_000) => eventually(async () => JSON.stringify(arrived.get(key)) === JSON.stringify(versions), { withinMs, what: `${versions.join()} of ${key}` });

  it('holds back a key behind a row that is too large, says so, and sends what it has missed once that row is gone', async () => {
    const [large, good] = [randomUUID(), randomUUID()];
    // Digits that do not compress, so that the broker refuses the row and not this process.
    await insert({ key: large, topic, dataJson: JSON.stringify(Array.from({ length: 60_000 }, () => randomUUID()).join('')) });
    await write(large, 1);
    await write(good, 1);
    const { stop } = startRelay();
    await came(good, ['1']);
    await write(good, 2);
    await write(large, 2);
    await came(good, ['1', '2']);
    expect(arrived.has(large)).toBe(false);
    expect(alarms).toEqual([{ code: 'key-blocked', subscriber: 'relay', topic, key: large, eventId: expect.any(String), reason: 'kafka:10' }]);
    await owner.query('DELETE FROM event WHERE key = $1 AND length(data::text) > 100000', [large]);
    await stop();
    startRelay();
    await came(large, ['1', '2']);
  }, 60_000);

  it('holds back a topic that nobody has made, and catches up when it is there', async () => {
    const key = randomUUID();
    const later = 'referral.later.v1';
    await insert({ key, topic: later, dataJson: '{}' });
    await write(key, 1);
    const first = startRelay();
    await came(key, ['1']);
    await eventually(async () => first.relay.metrics().blockedKeys === 1);
    expect(alarms).toMatchObject([{ code: 'key-blocked', topic: later, reason: 'kafka:no-such-topic' }]);
    await first.stop();
    await ensureTopics({ brokers: [broker.brokers], clientId: 'relay-spec' }, { topics: [later] });
    const second = startRelay();
    const admin = client.admin();
    await admin.connect();
    await eventually(async () => (await admin.fetchTopicOffsets(later)).some(({ high }) => high === '1'), { withinMs: 10_000, what: 'the event on its topic' });
    await admin.disconnect();
    await eventually(async () => second.relay.metrics().blockedKeys === 0);
  }, 60_000);

  it('has published everything that was committed when it has stopped', async () => {
    const { relay, stop } = startRelay();
    await eventually(async () => relay.metrics().leading);
    const keys = Array.from({ length: 200 }, () => randomUUID());
    await Promise.all(keys.map((key) => write(key)));
    await stop();
    for (const key of keys) await came(key, ['1'], 5_000);
    expect(relay.metrics()).toMatchObject({ leading: false, blockedKeys: 0 });
  }, 60_000);

  it('ends in time when the broker is away, and the next leader sends what was left', async () => {
    const key = randomUUID();
    const { relay, stop } = startRelay();
    await eventually(async () => relay.metrics().leading);
    await broker.kill();
    await write(key);
    const beganMs = Date.now();
    await stop(500);
    expect(Date.now() - beganMs).toBeLessThan(3_000);
    await broker.restart();
    startRelay();
    await came(key, ['1'], 40_000);
  }, 90_000);

  it('is followed by its standby when it is killed', async () => {
    const leader = spawn(process.execPath, ['--conditions=@amana/source', '--input-type=module-typescript', '--no-warnings', '-e', `
      import { openPool } from '@amana/persistence';
      import { createKafka } from ${JSON.stringify(join(import.meta.dirname, 'kafka-client.ts'))};
      import { KafkaRelay } from ${JSON.stringify(join(import.meta.dirname, 'kafka-relay.ts'))};
      const kafka = createKafka({ brokers: [process.env.BROKER], clientId: 'child' });
      new KafkaRelay({ kafka, service: 'referral', pool: openPool(process.env.RELAY_URL, 2), onAlarm: () => {} }).start();
    `], { cwd: import.meta.dirname, env: { ...process.env, BROKER: broker.brokers, RELAY_URL: urls.relayUrl, NODE_OPTIONS: '' }, stdio: 'ignore' });
    const [first, second] = [randomUUID(), randomUUID()];
    await write(first);
    await came(first, ['1']);
    const { relay } = startRelay();
    await write(first, 2);
    await came(first, ['1', '2']);
    expect(relay.metrics()).toMatchObject({ leading: false, published: 0 });
    leader.kill('SIGKILL');
    await write(second);
    await came(second, ['1'], 10_000);
    expect(relay.metrics().leading).toBe(true);
  }, 60_000);
});
