import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka as KafkaClient, logLevel } from 'kafkajs';
import type { EngineProcess } from './engine-process.ts';
import { EngineStartError, startEngine } from './engine-process.ts';
import type { KafkaKit } from './kafka-broker.ts';
import { brokerSpec, ensureBrokerData, writeBrokerSettings } from './kafka-broker.ts';
import type { KafkaKitOptions } from './kafka-kit.ts';
import { prepareKafka } from './kafka-kit.ts';
import { freePort } from './loopback.ts';

export type { KafkaAvailability, KafkaKitOptions } from './kafka-kit.ts';
export { classpath, kafkaAvailability, prepareKafka } from './kafka-kit.ts';

export interface KafkaOptions extends KafkaKitOptions {
  /** Keeps the topics (`kafka/`), the log and the pid file between starts. */
  stateDir: string;
  /** A data folder of its own, removed by `stop`: for tests. */
  throwaway?: boolean;
}

/** A running one-node broker for tests and the demo, on loopback only. */
export interface Kafka {
  /** `host:port`, as clients want it; it stays the same over `restart`. */
  readonly brokers: string;
  readonly port: number;
  /** The broker's process id; a new one after `restart`. */
  readonly pid: number;
  /** Shuts down cleanly and removes throw-away data. Resolves when the process is gone; harmless twice. */
  stop(): Promise<void>;
  /** SIGKILL, as a fault would. */
  kill(): Promise<void>;
  /** Starts again on the same port and data, after a kill or from running. */
  restart(): Promise<void>;
}

export interface TopicSpec {
  topic: string;
  partitions: number;
  /** Topic settings by Kafka's own names; `max.message.bytes` is 4 MiB unless it is given. */
  config?: Record<string, string>;
}

const START_ATTEMPTS = 3;
const PORT_TAKEN = /Address already in use|BindException/;
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const TOPICS_TIMEOUT_MS = 30_000;
const TOPICS_RETRY_MS = 100;

/**
 * Starts an Apache Kafka broker (KRaft, one node), preparing its jars on the first start of a checkout. Throws when
 * Java or Maven is missing, when another process runs on the same data, or when it is not ready within 60 s.
 */
export async function startKafka({ stateDir, cacheDir, onProgress, throwaway = false }: KafkaOptions): Promise<Kafka> {
  const kit = await prepareKafka({ cacheDir, onProgress });
  mkdirSync(stateDir, { recursive: true });
  const home = throwaway ? mkdtempSync(join(resolve(stateDir), 'kafka-')) : join(resolve(stateDir), 'kafka');
  const dataDir = join(home, 'data');
  const clear = (): void => (throwaway ? rmSync(home, { recursive: true, force: true }) : undefined);
  try {
    ensureBrokerData(kit, dataDir);
    const { engine, port } = await startOnFreePorts(kit, home);
    let running = engine;
    return {
      brokers: `127.0.0.1:${port}`,
      port,
      get pid() {
        return running.pid;
      },
      async stop() {
        await running.stop();
        clear();
      },
      kill: () => running.kill(),
      async restart() {
        await running.stop();
        running = await startEngine(brokerSpec(kit, home), PORT_TAKEN);
      },
    };
  } catch (error) {
    clear();
    throw error;
  }
}

/**
 * Makes the topics that are missing and leaves existing ones as they are; safe to repeat, also right after a restart,
 * when the controller is still electing. Throws the broker's error when it goes on for 30 s.
 */
export async function createTopics(brokers: string, topics: readonly TopicSpec[]): Promise<void> {
  const client = new KafkaClient({ clientId: 'amana-topics', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = client.admin({ retry: { retries: 2 } });
  const deadline = Date.now() + TOPICS_TIMEOUT_MS;
  try {
    for (;;) {
      try {
        await admin.connect();
        const existing = new Set(await admin.listTopics());
        const missing = topics.filter(({ topic }) => !existing.has(topic)).map(toTopicConfig);
        if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true });
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await delay(TOPICS_RETRY_MS);
      }
    }
  } finally {
    await admin.disconnect();
  }
}

async function startOnFreePorts(kit: KafkaKit, home: string): Promise<{ engine: EngineProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeBrokerSettings(join(home, 'server.properties'), { port, controllerPort: await freePort(), dataDir: join(home, 'data') });
    try {
      return { engine: await startEngine(brokerSpec(kit, home)), port };
    } catch (error) {
      const portTaken = error instanceof EngineStartError && PORT_TAKEN.test(error.logTail);
      if (!portTaken || attempt === START_ATTEMPTS) throw error;
    }
  }
}

function toTopicConfig({ topic, partitions, config = {} }: TopicSpec): {
  topic: string;
  numPartitions: number;
  replicationFactor: number;
  configEntries: { name: string; value: string }[];
} {
  const settings = { 'max.message.bytes': String(MAX_MESSAGE_BYTES), ...config };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  // -1 asks for the broker's own default, so that the same call serves a real cluster.
  return { topic, numPartitions: partitions, replicationFactor: -1, configEntries };
}
