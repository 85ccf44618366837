import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { ServiceName } from '@amana/contracts';
import { ClientKeyFile, clientKeyPath, type Kafka, kafkaAvailability, type Postgres, readJsonFile, type Replica, serviceDefinitions, startKafka, startPostgres, startProcess, TokenSource } from '@amana/local';
import { ensureTopics } from '@amana/messaging';
import { migrate, provision, type ServiceUrls } from '@amana/persistence';
import { eventually } from '@amana/testing';
import pg from 'pg';
import { checkout, type Session } from './benchmark.ts';

const issuerReadyWithinMs = 30_000;
/** Commit times to measure by; and no checkpoint within a run, since it would fall on one side of a comparison and not on the other. */
const serverSettings = ['track_commit_timestamp = on', 'max_wal_size = \'8GB\'', 'checkpoint_timeout = \'1h\''];

/** The parts of a network that a benchmark needs and no more: each idle process would take its share of two cores. */
export class Network {
  readonly session: Session;
  readonly stateDir: string;
  readonly postgres: Postgres;
  kafka: Kafka | undefined;
  issuerUrl = '';
  readonly urls = new Map<ServiceName, ServiceUrls>();

  private constructor(session: Session, stateDir: string, postgres: Postgres) {
    this.session = session;
    this.stateDir = stateDir;
    this.postgres = postgres;
  }

  /** A durable PostgreSQL server (fsync on) that notes when each transaction committed; with a Kafka broker if asked for. */
  static async start(session: Session, { kafka = false }: { kafka?: boolean } = {}): Promise<Network> {
    const stateDir = session.folder();
    session.tell(kafka ? 'Starting PostgreSQL and Kafka.' : 'Starting PostgreSQL.');
    const postgres = await startPostgres({ stateDir, durable: true });
    session.onEnd(() => postgres.stop());
    const network = new Network(session, stateDir, postgres);
    for (const setting of serverSettings) await network.query('postgres', `ALTER SYSTEM SET ${setting}`);
    await postgres.restart();
    if (kafka) {
      network.kafka = await startKafka({ stateDir, throwaway: true });
      session.onEnd(() => network.kafka!.stop());
      await network.#createTopics(network.kafka.brokers);
    }
    return network;
  }

  /** As the launcher does; a broker that has only just started may not know a new topic's leader for a moment. */
  async #createTopics(brokers: string): Promise<void> {
    await eventually(() => ensureTopics({ brokers: [brokers], clientId: 'amana-bench' }), { what: 'the topics of the network' });
  }

  /** Why there can be no broker here; undefined where there can. */
  static withoutKafka(): string | undefined {
    const found = kafkaAvailability();
    return found.available ? undefined : `A Kafka broker is needed: ${found.reason}`;
  }

  /** A URL of the superuser, for looking at what the services wrote and for the references. */
  adminUrl(database: ServiceName | 'postgres'): string {
    const url = new URL(this.postgres.url);
    if (database !== 'postgres') url.pathname = new URL(this.urls.get(database)!.ownerUrl).pathname;
    return url.href;
  }

  /** One statement as the superuser, on a connection of its own. */
  async query<R extends pg.QueryResultRow>(database: ServiceName | 'postgres', text: string, values?: unknown[]): Promise<R[]> {
    const client = new pg.Client({ connectionString: this.adminUrl(database) });
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Databases and roles of these services, migrated. */
  async prepare(...services: readonly ServiceName[]): Promise<void> {
    for (const service of services) {
      this.urls.set(service, await provision({ adminUrl: this.postgres.url, service, roleSecret: `benchmark ${this.stateDir}` }));
      await migrate(this.urls.get(service)!.ownerUrl, serviceDefinitions[service].migrations);
    }
  }

  /** The sandbox's issuer, in a process of its own as everywhere. */
  async startIssuer(): Promise<void> {
    const child = spawn(process.execPath, [join(checkout, 'infra/local/dist/issuer-main.js')], {
      env: { PATH: process.env.PATH, AMANA_MODE: 'sandbox', AMANA_PORT: '0', AMANA_STATE_DIR: this.stateDir }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<void>((done) => { child.once('exit', () => done()); });
    this.session.onEnd(async () => { child.kill('SIGTERM'); await ended; });
    const late = AbortSignal.timeout(issuerReadyWithinMs);
    this.issuerUrl = await new Promise<string>((ready, failed) => {
      createInterface(child.stdout).on('line', (line) => { if (line.startsWith('serving ')) ready(line.slice('serving '.length)); });
      late.addEventListener('abort', () => failed(new Error('The issuer was not ready in time')));
      void ended.then(() => failed(new Error('The issuer ended before it was ready')));
    });
  }

  /** A service as it runs in production: its own process, every act traced and each finished span written out, to nowhere. */
  async startService(service: ServiceName, env: NodeJS.ProcessEnv = {}): Promise<Replica> {
    const { appUrl, relayUrl } = this.urls.get(service)!;
    const bus = this.kafka ? { bus: 'kafka', brokers: this.kafka.brokers } as const : { bus: 'postgres', busUrls: Object.fromEntries([...this.urls].map(([name, urls]) => [name, urls.busUrl])) } as const;
    const logDir = join(this.stateDir, 'logs');
    const replica = await startProcess({
      mode: 'sandbox', service, port: 0, appUrl, relayUrl, ...bus, issuer: this.issuerUrl, jwksUrl: `${this.issuerUrl}/jwks`,
      keyringFile: join(this.stateDir, 'keys', `${service}.json`), logLevel: 'error',
    }, { logDir, name: service, env: { AMANA_TRACE_FILE: '/dev/null', AMANA_SERVICE: service, NODE_OPTIONS: process.env.AMANA_BENCH_NODE_OPTIONS, ...env } }).catch((error: Error) => {
      // The folder goes with the session: what the service said must not go with it.
      throw new Error(`${error.message}\n${readFileSync(join(logDir, `${service}.log`), 'utf8').slice(-2_000)}`, { cause: error });
    });
    this.session.onEnd(() => replica.stop());
    return replica;
  }

  /** The key file of a partner system, as the issuer wrote it. */
  keyOf(clientId: string): Promise<ClientKeyFile> {
    return readJsonFile(clientKeyPath(this.stateDir, clientId), ClientKeyFile);
  }

  /** Tokens of a partner system, from the issuer. */
  async tokensOf(clientId: string): Promise<TokenSource> {
    const { tokenUrl, privateJwk } = await this.keyOf(clientId);
    return TokenSource.forClient({ tokenUrl, clientId, privateJwk });
  }
}
