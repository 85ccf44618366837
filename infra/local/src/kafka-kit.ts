import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProcess, startEngine } from './engine-process.ts';
import { findJava, findProgram, runToEnd } from './java.ts';
import type { KafkaKit } from './kafka-broker.ts';
import { brokerSpec, ensureBrokerData, KAFKA_SETTINGS, writeBrokerSettings } from './kafka-broker.ts';
import { freePort } from './loopback.ts';

export type KafkaAvailability = { available: true; java: string; mvn: string | undefined } | { available: false; reason: string };

export interface KafkaKitOptions {
  /** Holds jars, formatted template and class archive; by default `.amana/kafka` of the checkout. */
  cacheDir?: string | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

const DEFAULT_CACHE = resolve(import.meta.dirname, '../../../.amana/kafka');
const LEAST_JAVA = 17;
const COPY_JARS = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const FETCH_TIMEOUT_MS = 600_000;
const FETCH_TELL_MS = 2_000;
const FORMAT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = FETCH_TIMEOUT_MS + 3 * FORMAT_TIMEOUT_MS;
const LOCK_POLL_MS = 100;

/** Whether a broker can be started here: Java 17 or later, and Maven unless the jars are there already. */
export function kafkaAvailability(cacheDir?: string): KafkaAvailability {
  const java = findJava();
  if (java === undefined) return { available: false, reason: `Java is missing (${LEAST_JAVA} or later is needed)` };
  if (java.major < LEAST_JAVA) return { available: false, reason: `Java ${java.version} is too old (${LEAST_JAVA} or later is needed)` };
  const mvn = findProgram('mvn');
  if (mvn === undefined && !existsSync(join(kitDir(cacheDir), 'lib'))) return { available: false, reason: 'Maven is missing' };
  return { available: true, java: java.command, mvn };
}

/**
 * Fetches the pinned jars, formats a template and archives the broker's classes, each once and whole or not at all;
 * safe to call from several processes. Throws when Java or Maven is missing or the jars cannot be fetched.
 */
export async function prepareKafka({ cacheDir, onProgress = () => undefined }: KafkaKitOptions = {}): Promise<KafkaKit> {
  const found = kafkaAvailability(cacheDir);
  if (!found.available) throw new Error(`Kafka cannot run here: ${found.reason}.`);
  const dir = kitDir(cacheDir);
  mkdirSync(dir, { recursive: true });
  const lib = join(dir, 'lib');
  const template = join(dir, 'template');
  const archive = join(dir, `classes-${shortHash(`${findJava()?.version} ${lib}`)}.jsa`);
  const kit = (): KafkaKit => ({ java: found.java, classpath: classpath(cacheDir), template, classArchive: existsSync(archive) ? archive : undefined });
  if ([lib, template, archive].every((path) => existsSync(path))) return kit();

  const release = await takeLock(join(dir, 'preparing.pid'));
  try {
    if (!existsSync(lib)) await fetchJars(lib, found.mvn ?? 'mvn', onProgress);
    if (!existsSync(template)) await formatTemplate(kit());
    if (!existsSync(archive)) await archiveClasses(kit(), archive, onProgress);
    return kit();
  } finally {
    release();
  }
}

/** The class path of the fetched jars, Kafka's own tools included; throws before `prepareKafka` ran once. */
export function classpath(cacheDir?: string): string {
  const lib = join(kitDir(cacheDir), 'lib');
  // Sorted, because a class archive is valid only for the very same order.
  return readdirSync(lib).sort().map((name) => join(lib, name)).join(delimiter);
}

async function fetchJars(lib: string, mvn: string, tell: (line: string) => void): Promise<void> {
  const draft = `${lib}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const startedAtMs = Date.now();
  const ticking = setInterval(() => {
    const jars = existsSync(draft) ? readdirSync(draft).length : 0;
    tell(`Fetching Kafka: ${jars} jars in place after ${Math.round((Date.now() - startedAtMs) / 1000)} s.`);
  }, FETCH_TELL_MS);
  tell('Fetching Kafka (45 MB, once).');
  try {
    // Java takes the home folder from the account, not from $HOME, and some accounts have none.
    const maven = [mvn, `-Duser.home=${homedir()}`, '-B', '-ntp', '-q', '-f', join(KAFKA_SETTINGS, 'pom.xml')] as [string, ...string[]];
    await runToEnd([...maven, COPY_JARS, `-DoutputDirectory=${draft}`, '-DincludeScope=runtime'], FETCH_TIMEOUT_MS);
  } finally {
    clearInterval(ticking);
  }
  renameSync(draft, lib);
}

async function formatTemplate(kit: KafkaKit): Promise<void> {
  const draft = `${kit.template}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const settings = `${kit.template}.properties`;
  writeBrokerSettings(settings, { port: 9092, controllerPort: 9093, dataDir: draft });
  const clusterId = createHash('sha256').update('amana sandbox').digest().subarray(0, 16).toString('base64url');
  await runToEnd([kit.java, '-cp', kit.classpath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings], FORMAT_TIMEOUT_MS);
  renameSync(draft, kit.template);
}

/** Runs one broker to its end and keeps the classes that it loaded: later starts then take half the time. */
async function archiveClasses(kit: KafkaKit, archive: string, tell: (line: string) => void): Promise<void> {
  tell('Preparing Kafka for quick starts (once).');
  const home = `${archive}.making`;
  rmSync(home, { recursive: true, force: true });
  const dataDir = join(home, 'data');
  ensureBrokerData(kit, dataDir);
  writeBrokerSettings(join(home, 'server.properties'), { port: await freePort(), controllerPort: await freePort(), dataDir });
  const draft = join(home, 'classes.jsa');
  try {
    const broker = await startEngine(brokerSpec(kit, home, [`-XX:ArchiveClassesAtExit=${draft}`]));
    await broker.stop();
    if (existsSync(draft)) renameSync(draft, archive);
    else tell('The classes could not be archived; Kafka starts a little slower.');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** One preparation at a time over all processes; a lock whose holder died is taken over. */
async function takeLock(file: string): Promise<() => void> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || Date.now() > deadline) throw error;
    }
    if (holderIsDead(file)) rmSync(file, { force: true });
    await delay(LOCK_POLL_MS);
  }
}

function holderIsDead(file: string): boolean {
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  // No number: it was released this moment, or its holder is about to write it.
  return holder > 0 && findProcess(holder) === undefined;
}

function kitDir(cacheDir = DEFAULT_CACHE): string {
  return join(resolve(cacheDir), shortHash(readFileSync(join(KAFKA_SETTINGS, 'pom.xml'), 'utf8')));
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
