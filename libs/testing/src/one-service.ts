import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedEvents, ServiceName } from '@amana/contracts';
import { append, Database, inTransaction } from '@amana/persistence';
import type { RunningService, ServiceDefinition } from '@amana/service';
import { House, type PostgresStarter } from './house.ts';
import { throwawayDatabase } from './throwaway-database.ts';

const requestTimeoutMs = 30_000;
const hourMs = 3_600_000;

/** A system of a partner organisation, which may ask the issuer for tokens. */
export interface PartnerSystem {
  readonly client_id: string;
  readonly accountId: string;
  readonly organisationId: string;
}

/** How the server, the issuer and the tokens are had. */
export interface Starters extends PostgresStarter {
  startIssuer(options: { port: number; stateDir: string; accounts: readonly unknown[]; clients: readonly unknown[] }): Promise<{ url: string; jwksUrl: string; stop(): Promise<void> }>;
  /** Where the issuer has left the key of a partner's system. */
  clientKeyPath(stateDir: string, clientId: string): string;
  readonly TokenSource: { forClient(request: { tokenUrl: string; clientId: string; privateJwk: object }): { token(): Promise<string> } };
  /** The file of the network's partner systems. */
  readonly clients: URL;
}

/** What is sent beside method and path. A body that is a string goes out as it is, so that it can be broken. */
export interface Sent {
  readonly body?: unknown;
  readonly key?: string;
  readonly ifMatch?: string;
}

/** An answer over HTTP. `code` is the refusal's; what is absent is empty, but for `retryAfter`. */
export interface Answer {
  readonly status: number;
  readonly code: string;
  readonly etag: string;
  readonly location: string;
  /** The address of a list's next page, if it names one. */
  readonly nextPage: string | undefined;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

/** An answer that must not be a refusal. Throws what was refused otherwise: status, code and the fields. */
export async function granted(asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  if (answer.status >= 300) throw new Error(`Answered ${answer.status} ${answer.code} ${JSON.stringify(answer.body.errors ?? [])}`);
  return answer;
}

/**
 * One service as it runs in the network, over HTTP and on the Postgres bus, with a server and an issuer of its own. Of
 * its neighbours there is only what it hears of them: their events. Everything is bound, to be taken apart at the head of a spec.
 */
export class OneService extends House {
  readonly #starters: Starters;
  readonly #systems: ReadonlyMap<string, PartnerSystem>;
  readonly #tokens = new Map<string, { token(): Promise<string> }>();
  #neighbours!: Database;
  #service: RunningService | undefined;

  constructor(definition: ServiceDefinition, starters: Starters) {
    super(definition);
    this.#starters = starters;
    const { clients } = JSON.parse(readFileSync(starters.clients, 'utf8')) as { clients: PartnerSystem[] };
    this.#systems = new Map(clients.map((system) => [system.client_id, system]));
  }

  /** Resolves once the service is ready. */
  async start(): Promise<void> {
    const { name, migrations } = this.definition;
    const { stateDir, adminUrl } = await this.openGround(this.#starters);
    const issuer = await this.#starters.startIssuer({ port: 0, stateDir, accounts: [], clients: [...this.#systems.values()] });
    this.endBy(() => issuer.stop());
    const own = await throwawayDatabase(adminUrl, name, migrations);
    // One log for all neighbours: the service follows each of them by a cursor of its own all the same.
    const others = await throwawayDatabase(adminUrl, name);
    this.#neighbours = new Database(others);
    this.endBy(() => this.#neighbours.close());
    // Loaded where it is used: a spec of a decision tells its stories without a framework.
    const { startService } = await import('@amana/service');
    const service = await startService(this.definition, {
      mode: 'sandbox', service: name, appUrl: own.appUrl, relayUrl: own.relayUrl, bus: 'postgres',
      busUrls: Object.fromEntries(ServiceName.options.map((producer) => [producer, producer === name ? own.busUrl : others.busUrl])),
      issuer: issuer.url, jwksUrl: issuer.jwksUrl, keyringFile: join(stateDir, 'keys', `${name}.json`), logLevel: 'silent',
    });
    this.endBy(() => service.stop());
    this.#service = service;
    for (const clientId of this.#systems.keys()) {
      const key = JSON.parse(readFileSync(this.#starters.clientKeyPath(stateDir, clientId), 'utf8')) as { tokenUrl: string; privateJwk: object };
      this.#tokens.set(clientId, this.#starters.TokenSource.forClient({ ...key, clientId }));
    }
  }

  get service(): RunningService {
    if (!this.#service) throw new Error('The service is not started');
    return this.#service;
  }

  override get database(): Database {
    return this.service.database;
  }

  get url(): string {
    return this.service.url;
  }

  /** A partner's system by its client id; known before the start. */
  readonly system = (client: string): PartnerSystem => {
    const system = this.#systems.get(client);
    if (!system) throw new RangeError(`${client} is no partner's system`);
    return system;
  };

  /** Sends a request with the client's token and nothing that is not asked for. Throws where an answer does not say that this is a sandbox. */
  readonly call = async (client: string, method: string, path: string, sent: Sent = {}): Promise<Answer> => {
    const tokens = this.#tokens.get(this.system(client).client_id)!;
    const response = await fetch(`${this.url}${path}`, {
      method, signal: AbortSignal.timeout(requestTimeoutMs),
      headers: {
        authorization: `Bearer ${await tokens.token()}`, 'content-type': 'application/json',
        ...(sent.key ? { 'idempotency-key': sent.key } : {}), ...(sent.ifMatch ? { 'if-match': sent.ifMatch } : {}),
      },
      ...(sent.body === undefined ? {} : { body: typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body) }),
    });
    const body = await response.json() as Record<string, unknown>;
    const header = (name: string): string => response.headers.get(name) ?? '';
    if (header('amana-mode') !== 'sandbox') throw new Error(`${method} ${path} was answered without Amana-Mode: sandbox`);
    return { status: response.status, code: String(body.code ?? ''), etag: header('etag'), location: header('location'), nextPage: /^<([^>]+)>; rel="next"$/.exec(header('link'))?.[1], retryAfter: response.headers.get('retry-after'), body };
  };

  /** Sends a POST with a body and a key, each its own unless given. */
  readonly post = (client: string, path: string, sent: Sent = {}): Promise<Answer> => this.call(client, 'POST', path, { body: {}, key: randomUUID(), ...sent });

  /** An event of another service, appended as that would: to its own log and from elsewhere, so that nothing wakes the consumer. */
  readonly publish = async (type: string, data: object, key: string = randomUUID()): Promise<void> => {
    const definition = publishedEvents.get(type);
    if (!definition || type.startsWith(`${this.definition.name}.`)) throw new RangeError(`${type} is no event of another service`);
    const { statement } = append([{ stream: randomUUID(), version: 1, definition, key, data }], {}, this.service.clock.business());
    await inTransaction(this.#neighbours.app, [], (tx) => { tx.write(statement); });
  };

  /** An instant so many hours from now, as the service's decisions see time. */
  readonly after = (hours: number): string => new Date(this.service.clock.business().getTime() + hours * hourMs).toISOString();

  /** Lets business time pass at once, and what is due by then happen. */
  readonly passHours = (hours: number): void => {
    this.service.clock.moveTo(this.service.clock.offsetMs + hours * hourMs);
    this.service.due.poke();
  };
}
