import { setTimeout as delay } from 'node:timers/promises';
import { topics as allTopics } from '@amana/contracts';
import { deadLetterTopic } from './dead-letter.ts';
import type { Admin } from 'kafkajs';
import { createKafka, type KafkaSettings } from './kafka-client.ts';

export interface TopicsToEnsure {
  /** Every topic of the network if absent. */
  readonly topics?: readonly string[];
  /** Who reads what: each pair gets its dead-letter topic. */
  readonly consumers?: readonly { readonly consumer: string; readonly topics: readonly string[] }[];
  /** -1: as the broker says. */
  readonly replicationFactor?: number;
  /** Above the broker's default only where a test sends what no writer of ours would. */
  readonly maxMessageBytes?: number;
}

/** More partitions than a network will have replicas of one service; a number that is never changed, since that would move keys. */
const partitions = 12;
const dayMs = 86_400_000;
/** With a pause of 0.1 to 0.3 s between them: about 30 s, longer than a broker takes to come up. */
const createTries = 150;

/**
 * Makes sure that the topics exist, with 12 partitions and 14 days; dead-letter topics with one partition, since few
 * letters come and an operator reads them in order, and 30 days. Existing topics are left as they are. Answers the new ones.
 */
export async function ensureTopics(settings: KafkaSettings, wanted: TopicsToEnsure = {}): Promise<string[]> {
  const live = (wanted.topics ?? allTopics).map((topic) => ({ topic, numPartitions: partitions, retentionMs: 14 * dayMs }));
  const dead = (wanted.consumers ?? []).flatMap(({ consumer, topics }) => topics.map((topic) => ({ topic: deadLetterTopic(topic, consumer), numPartitions: 1, retentionMs: 30 * dayMs })));
  const admin = createKafka(settings).admin();
  await admin.connect();
  try {
    const created = new Set<string>();
    for (let tries = 1; ; tries += 1) {
      const existing = new Set(await admin.listTopics());
      const missing = [...live, ...dead].filter(({ topic }) => !existing.has(topic));
      if (missing.length === 0) return [...created];
      try {
        await create(admin, missing, wanted);
        for (const { topic } of missing) created.add(topic);
      } catch (error) {
        // Another service makes the same topics, or the broker has just come up: a moment later they have a leader.
        if (tries >= createTries) throw error;
        await delay(100 + Math.random() * 200);
      }
    }
  } finally {
    await admin.disconnect();
  }
}

interface NewTopic { readonly topic: string; readonly numPartitions: number; readonly retentionMs: number }

async function create(admin: Admin, topics: readonly NewTopic[], wanted: TopicsToEnsure): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map(({ topic, numPartitions, retentionMs }) => ({
      topic, numPartitions, replicationFactor: wanted.replicationFactor ?? -1,
      // Segments of an hour: a segment that is still written to is never deleted, whatever the retention says.
      configEntries: entriesOf({ 'retention.ms': retentionMs, 'segment.ms': 3_600_000, 'max.message.bytes': wanted.maxMessageBytes }),
    })),
  });
}

function entriesOf(config: Record<string, number | undefined>): { name: string; value: string }[] {
  return Object.entries(config).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: String(value) }]));
}
