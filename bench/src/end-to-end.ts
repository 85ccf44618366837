import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { classpath, createTopics, kafkaAvailability } from '@amana/local';
import type { Session } from './benchmark.ts';
import { median } from './statistics.ts';

/** About what an audit entry takes as a message, headers included. */
const messageBytes = 1_500;
const messages = 8_000;
const timeoutMs = 120_000;

/**
 * Kafka's own EndToEndLatency: one message at a time, acknowledged by all, until its consumer has it. The tool prints
 * its percentiles in whole milliseconds, cut off: the p99 is taken as printed, the p50 as the middle of the exact single
 * times that it prints once in a thousand messages.
 */
export async function endToEndLatency(session: Session, brokers: string): Promise<{ p50Ms: number; p99Ms: number }> {
  const found = kafkaAvailability();
  if (!found.available) throw new Error(found.reason);
  const topic = 'bench.end-to-end';
  await createTopics(brokers, [{ topic, partitions: 1 }]);
  const args = ['-Xmx256m', '-XX:+UseSerialGC', '-cp', classpath(), 'org.apache.kafka.tools.EndToEndLatency', brokers, topic, String(messages), 'all', String(messageBytes)];
  const { stdout } = await promisify(execFile)(found.java, args, { timeout: timeoutMs, signal: session.signal });
  const single = [...stdout.matchAll(/^(\d+)\t([\d.]+)$/gm)].filter(([, index]) => index !== '0').map(([, , ms]) => Number(ms));
  const p99 = /99th = (\d+)/.exec(stdout)?.[1];
  if (single.length === 0 || p99 === undefined) throw new Error('EndToEndLatency printed no figures');
  return { p50Ms: median(single), p99Ms: Number(p99) };
}
