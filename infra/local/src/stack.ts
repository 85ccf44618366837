import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ServiceName } from '@amana/contracts';
import { ensureTopics } from '@amana/messaging';
import { migrate, provision, type ServiceUrls } from '@amana/persistence';
import type { ServiceSettingsInput } from '@amana/service';
import { z } from 'zod';
import { type RunningIssuer, startIssuer } from './issuer.ts';
import { keepPrivateJson } from './json-file.ts';
import { type Kafka, kafkaAvailability, startKafka } from './kafka.ts';
import { freePort } from './loopback.ts';
import { readAccounts, readClients } from './network-accounts.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { type Replica, startInProcess, startProcess } from './replica.ts';
import { type RunningRouter, startRouter } from './router.ts';
import { SandboxClock } from './sandbox-clock.ts';
import { serviceDefinitions } from './services.ts';

export interface StackOptions {
  /** Everything the network keeps between starts. */
  readonly stateDir: string;
  /** `auto`: Kafka where a broker is given or can be started, otherwise the Postgres bus. */
  readonly bus: 'auto' | 'kafka' | 'postgres';
  /** 0: all services in this process. 1 or more: that many processes of each. */
  readonly replicas?: number;
  readonly port?: number;
  /** Distinguishes networks that share a database server or a broker. */
  readonly prefix?: string;
  readonly durable?: boolean;
  readonly logLevel?: ServiceSettingsInput['logLevel'];
  readonly smtpUrl?: string;
  /** Who signs the audit ledger beside the network, as the services' setting of that name. */
  readonly witnesses?: string[] | undefined;
  readonly replicaEnv?: NodeJS.ProcessEnv;
  readonly onProgress?: (line: string) => void;
  /** Engines that already run and that the stack does not stop. */
  readonly given?: { readonly adminUrl?: string | undefined; readonly brokers?: string | undefined };
}

export const networkDir = resolve(import.meta.dirname, '../network');
const Secrets = z.strictObject({ roleSecret: z.string().min(20) });

/** A whole network on this machine: engines, issuer, services, router. Built up by `start`, taken down by `stop` in the opposite order. */
export class Stack {
  readonly bus: 'kafka' | 'postgres';
  readonly options: StackOptions;
  readonly urls = new Map<ServiceName, ServiceUrls>();
  readonly replicas: Replica[] = [];
  postgres: Postgres | undefined;
  kafka: Kafka | undefined;
  issuer!: RunningIssuer;
  router!: RunningRouter;
  brokers: string | undefined;
  adminUrl!: string;
  clock!: SandboxClock;
  readonly #undo: (() => Promise<void>)[] = [];

  private constructor(options: StackOptions, bus: 'kafka' | 'postgres') {
    this.options = options;
    this.bus = bus;
  }

  /** Starts everything, or stops what was started and throws what went wrong. */
  static async start(options: StackOptions): Promise<Stack> {
    const stack = new Stack(options, chooseBus(options));
    try {
      await stack.#build();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  get url(): string {
    return this.router.url;
  }

  /** Ends what was started, last first. Harmless twice. */
  async stop(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo().catch((error: unknown) => this.#tell(`Could not stop cleanly: ${String(error)}`));
  }

  async #build(): Promise<void> {
    const { stateDir, given } = this.options;
    mkdirSync(stateDir, { recursive: true });
    await Promise.all([this.#startPostgres(given?.adminUrl), this.#startBus(given?.brokers)]);
    const { roleSecret } = await keepPrivateJson(join(stateDir, 'secrets.json'), Secrets, () => ({ roleSecret: randomBytes(32).toString('base64url') }));
    this.#tell('Preparing the databases');
    await Promise.all([this.#prepareDatabases(roleSecret), this.#startIssuer()]);
    this.clock = await SandboxClock.open({ stateDir, appUrls: new Map([...this.urls].map(([service, urls]) => [service, urls.appUrl])), replicas: () => this.replicas });
    this.#undo.push(() => this.clock.close());
    this.#tell('Starting the services');
    this.#undo.push(async () => { await Promise.all(this.replicas.map((replica) => replica.stop())); });
    const count = Math.max(1, this.options.replicas ?? 0);
    for (let copy = 1; copy <= count; copy += 1) {
      const started = await Promise.allSettled(ServiceName.options.map(async (service) => { this.replicas.push(await this.startReplica(service, copy)); }));
      const failed = started.find((outcome) => outcome.status === 'rejected');
      if (failed) throw failed.reason;
    }
    const upstreams = Object.fromEntries(ServiceName.options.map((service) => [service, this.replicas.filter((replica) => replica.service === service).map((replica) => replica.url)]));
    this.router = await startRouter({ port: this.options.port ?? 0, upstreams, tokenUrl: this.issuer.tokenUrl, issuer: this.issuer.url, handlers: { '/sandbox/clock': this.clock.handler } });
    this.#undo.push(() => this.router.stop());
  }

  /** Starts one copy of a service on a free port. The caller keeps it and stops it. */
  async startReplica(service: ServiceName, copy: number): Promise<Replica> {
    return this.options.replicas
      ? await startProcess(this.settingsOf(service, await freePort()), { logDir: join(this.options.stateDir, 'logs'), name: `${service}-${copy}`, ...(this.options.replicaEnv ? { env: this.options.replicaEnv } : {}) })
      : await startInProcess(this.settingsOf(service));
  }

  /** What a copy of a service is told. */
  settingsOf(service: ServiceName, port = 0): ServiceSettingsInput {
    const { appUrl, relayUrl } = this.urls.get(service)!;
    return {
      mode: 'sandbox', service, port, appUrl, relayUrl, bus: this.bus, brokers: this.brokers,
      busUrls: this.bus === 'postgres' ? Object.fromEntries([...this.urls].map(([name, urls]) => [name, urls.busUrl])) : {},
      issuer: this.issuer.url, jwksUrl: this.issuer.jwksUrl, keyringFile: join(this.options.stateDir, 'keys', `${service}.json`),
      logLevel: this.options.logLevel ?? 'warn', clockOffsetMs: this.clock.offsetMs, smtpUrl: this.options.smtpUrl, witnesses: this.options.witnesses,
    };
  }

  async #startPostgres(given: string | undefined): Promise<void> {
    if (given) { this.adminUrl = given; return; }
    this.#tell('Starting PostgreSQL');
    this.postgres = await startPostgres({ stateDir: this.options.stateDir, durable: this.options.durable ?? true, onProgress: (line) => this.#tell(line) });
    this.#undo.push(() => this.postgres!.stop());
    this.adminUrl = this.postgres.url;
  }

  async #startBus(given: string | undefined): Promise<void> {
    if (this.bus === 'postgres') return;
    if (given) {
      this.brokers = given;
    } else {
      this.#tell('Starting Kafka');
      this.kafka = await startKafka({ stateDir: this.options.stateDir, onProgress: (line) => this.#tell(line) });
      this.#undo.push(() => this.kafka!.stop());
      this.brokers = this.kafka.brokers;
    }
    await ensureTopics({ brokers: this.brokers.split(','), clientId: 'amana-launcher' });
  }

  async #prepareDatabases(roleSecret: string): Promise<void> {
    const prefix = this.options.prefix ?? 'amana';
    for (const service of ServiceName.options) this.urls.set(service, await provision({ adminUrl: this.adminUrl, service, roleSecret, prefix }));
    await Promise.all(ServiceName.options.map((service) => migrate(this.urls.get(service)!.ownerUrl, serviceDefinitions[service].migrations)));
  }

  async #startIssuer(): Promise<void> {
    const [accounts, clients] = await Promise.all([readAccounts(join(networkDir, 'accounts.json')), readClients(join(networkDir, 'clients.json'))]);
    this.issuer = await startIssuer({ port: 0, stateDir: this.options.stateDir, accounts, clients });
    this.#undo.push(() => this.issuer.stop());
  }

  #tell(line: string): void {
    this.options.onProgress?.(line);
  }
}

/** An explicit choice that cannot be met is an error; `auto` takes Kafka where it can. */
function chooseBus({ bus, given }: StackOptions): 'kafka' | 'postgres' {
  if (bus === 'postgres') return 'postgres';
  if (given?.brokers) return 'kafka';
  const kafka = kafkaAvailability();
  if (kafka.available) return 'kafka';
  if (bus === 'kafka') throw new Error(`Kafka was asked for and cannot be started: ${kafka.reason}. Set KAFKA_BROKERS, or AMANA_BUS=postgres.`);
  return 'postgres';
}
