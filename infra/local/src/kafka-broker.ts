import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EngineSpec } from './engine-process.ts';

/** What every broker of this checkout shares: made once by `prepareKafka`, then only read. */
export interface KafkaKit {
  java: string;
  classpath: string;
  /** A formatted, empty data folder to copy. */
  template: string;
  /** Classes in ready-made form; undefined where they could not be archived (a start then takes a second or two more). */
  classArchive: string | undefined;
}

/** infra/kafka of the checkout: the jars' pom.xml and the broker's settings. */
export const KAFKA_SETTINGS = resolve(import.meta.dirname, '../../kafka');

const START_TIMEOUT_MS = 60_000;

/** Fills the settings file in: both ports must be known beforehand, the controller's cannot be 0. */
export function writeBrokerSettings(file: string, values: { port: number; controllerPort: number; dataDir: string }): void {
  const text = readFileSync(join(KAFKA_SETTINGS, 'server.properties'), 'utf8');
  writeFileSync(file, text.replaceAll(/\{\{(\w+)\}\}/g, (_, key: keyof typeof values) => String(values[key])));
}

/** Copies the formatted template into `dataDir` unless it holds a broker's data already; whole or not at all. */
export function ensureBrokerData(kit: KafkaKit, dataDir: string): void {
  if (existsSync(dataDir)) return;
  const draft = `${dataDir}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  cpSync(kit.template, draft, { recursive: true });
  renameSync(draft, dataDir);
}

/** How to run the broker whose `server.properties`, log and pid file lie in `home`. */
export function brokerSpec(kit: KafkaKit, home: string, extraFlags: string[] = []): EngineSpec {
  const settings = join(home, 'server.properties');
  const small = ['-Xms96m', '-Xmx320m', '-XX:+UseSerialGC', '-XX:MaxMetaspaceSize=128m', '-XX:TieredStopAtLevel=1'];
  const archive = kit.classArchive === undefined ? [] : [`-XX:SharedArchiveFile=${kit.classArchive}`];
  const logging = ['-Xlog:disable', `-Dlog4j2.configurationFile=${join(KAFKA_SETTINGS, 'log4j2.properties')}`];
  return {
    name: 'Kafka',
    command: kit.java,
    args: [...small, ...archive, ...extraFlags, ...logging, '-cp', kit.classpath, 'kafka.Kafka', settings],
    mark: settings,
    logFile: join(home, 'kafka.log'),
    pidFile: join(home, 'kafka.pid'),
    readyLine: 'Kafka Server started',
    readyTimeoutMs: START_TIMEOUT_MS,
    stopSignal: 'SIGTERM',
    parentDeathSignal: 'SIGKILL',
  };
}
