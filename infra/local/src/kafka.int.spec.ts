import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Consumer, KafkaMessage } from 'kafkajs';
import { Kafka as KafkaClient, logLevel, Partitioners } from 'kafkajs';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeKafka } from './describe-kafka.ts';
import { findProcess } from './engine-process.ts';
import type { Kafka } from './kafka.ts';
import { classpath, createTopics, kafkaAvailability, startKafka } from './kafka.ts';

describe('looking for Kafka', () => {
  const { PATH, JAVA_HOME } = process.env;
  afterAll(() => {
    process.env['PATH'] = PATH;
    if (JAVA_HOME !== undefined) process.env['JAVA_HOME'] = JAVA_HOME;
  });

  it('says that Java is missing instead of failing', async () => {
    process.env['PATH'] = '/nowhere';
    delete process.env['JAVA_HOME'];
    expect(kafkaAvailability()).toEqual({ available: false, reason: expect.stringContaining('Java is missing') });
    await expect(startKafka({ stateDir: '/nowhere' })).rejects.toThrow(/Java is missing/);
  });
});

describeKafka('the broker', () => {
  let stateDir: string;
  let kafka: Kafka;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-kafka-'));
    kafka = await startKafka({ stateDir, throwaway: true });
  }, 300_000);

  afterAll(async () => {
    await kafka.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const client = (): KafkaClient => new KafkaClient({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });

  async function produce(topic: string, value: string | Buffer): Promise<void> {
    const producer = client().producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } });
    await producer.connect();
    try {
      await producer.send({ topic, acks: -1, messages: [{ key: 'k', value }] });
    } finally {
      await producer.disconnect();
    }
  }

  async function consumeOne(topic: string, groupId: string): Promise<KafkaMessage> {
    const consumer: Consumer = client().consumer({ groupId });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      return await new Promise<KafkaMessage>((resolve, reject) => {
        consumer.run({ eachMessage: async ({ message }) => resolve(message) }).catch(reject);
      });
    } finally {
      await consumer.disconnect();
    }
  }

  it('refuses a topic that nobody made', async () => {
    await expect(produce('never-made', 'x')).rejects.toThrow();
  }, 60_000);

  it('makes missing topics, and leaves existing ones as they are', async () => {
    await createTopics(kafka.brokers, [{ topic: 'handed-over', partitions: 3 }]);
    await createTopics(kafka.brokers, [
      { topic: 'handed-over', partitions: 3 },
      { topic: 'second', partitions: 1, config: { 'retention.ms': '60000' } },
    ]);
    const admin = client().admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: ['handed-over', 'second'] });
    await admin.disconnect();
    const partitions = Object.fromEntries(topics.map((topic) => [topic.name, topic.partitions.length]));
    expect(partitions).toEqual({ 'handed-over': 3, second: 1 });
  }, 60_000);

  it('carries a message of 3 MB', async () => {
    await produce('second', Buffer.alloc(3_000_000, 1));
    expect((await consumeOne('second', 'large')).value?.length).toBe(3_000_000);
  }, 60_000);

  it('keeps an acknowledged message over SIGKILL and restart, at the same address', async () => {
    await produce('handed-over', 'kept');
    const [brokers, pid] = [kafka.brokers, kafka.pid];
    await kafka.kill();
    expect(findProcess(pid)).toBeUndefined();
    await kafka.restart();
    expect(kafka.brokers).toBe(brokers);
    // Right after a restart a partition may have no leader yet: this call waits for the controller.
    await createTopics(kafka.brokers, [{ topic: 'after-restart', partitions: 1 }]);
    expect((await consumeOne('handed-over', 'after')).value?.toString()).toBe('kept');
  }, 90_000);

  it('brings the measuring tools along', () => {
    expect(classpath()).toContain('kafka-tools');
  });

  it('leaves neither process nor throw-away data behind after stop', async () => {
    const pid = kafka.pid;
    await kafka.stop();
    expect(findProcess(pid)).toBeUndefined();
    expect(existsSync(stateDir) ? readdirSync(stateDir) : []).toEqual([]);
  }, 60_000);
});
