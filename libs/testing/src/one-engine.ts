import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Action } from '@amana/access';
import { Refusal, type Role } from '@amana/contracts';
import { Clock, Database, SealedStore } from '@amana/persistence';
import { type LocalKeyring, openLocalKeyring } from '@amana/privacy';
import type { Looks, ServiceDefinition, StreamEngine } from '@amana/service';
import { House, type PostgresStarter } from './house.ts';
import { throwawayDatabase } from './throwaway-database.ts';

/** What a service's streams and slices are made with, put together as `startService` does. */
export interface Engine {
  readonly database: Database;
  readonly clock: Clock;
  readonly keyring: LocalKeyring;
  readonly sealed: SealedStore;
  readonly engine: StreamEngine;
  readonly looks: Looks;
}

/** A request by a caller whom the edge has let in already, as this role. */
export interface SliceRequest {
  readonly role: Role;
  readonly scopes: readonly string[];
  /** The caller's; a stranger's unless given. */
  readonly organisationId?: string;
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly body?: object;
  readonly ifMatch?: string;
  readonly key?: string;
}

type Handler = (act: never) => unknown;
type HandlersOf<Slice> = { [Name in keyof Slice]: Slice[Name] extends Handler ? Name : never }[keyof Slice];
type AnswerOf<Method> = Method extends (act: never) => infer Answer ? Answer : never;

/** The parts of one service on a database of its own, without HTTP and bus: for slices that are called directly. */
export class OneEngine extends House {
  readonly #starter: PostgresStarter;
  #service!: typeof import('@amana/service');
  #parts: Engine | undefined;
  /** The database's owner, for what the serving role has no right to do. */
  ownerUrl = '';

  constructor(definition: ServiceDefinition, starter: PostgresStarter) {
    super(definition);
    this.#starter = starter;
  }

  /** Answers what slices are made with. */
  async start(): Promise<Engine> {
    // Loaded where it is used: a spec of a decision tells its stories without a framework.
    this.#service = await import('@amana/service');
    const { AuditTrail, Looks, StreamEngine } = this.#service;
    const { name: service, migrations, projections } = this.definition;
    const { stateDir, adminUrl } = await this.openGround(this.#starter);
    const urls = await throwawayDatabase(adminUrl, service, migrations);
    const database = new Database(urls);
    this.ownerUrl = urls.ownerUrl;
    this.endBy(() => database.close());
    const [clock, keyring] = [new Clock(), await openLocalKeyring(join(stateDir, 'keyring'))];
    const trail = new AuditTrail({ service, keys: keyring, clock });
    const engine = new StreamEngine({ service, database, clock, trail, projections, bodySecret: Buffer.alloc(32, 7) });
    this.#parts = { database, clock, keyring, sealed: new SealedStore(keyring), engine, looks: new Looks(engine) };
    return this.#parts;
  }

  override get database(): Database {
    if (!this.#parts) throw new Error('The engine is not started');
    return this.#parts.database;
  }

  /** Hands a request to a route of this slice as the edge does, and answers what the route answers. */
  readonly ask = <Slice extends object, Name extends HandlersOf<Slice>>(slice: Slice, name: Name, asked: SliceRequest): AnswerOf<Slice[Name]> => {
    const { Act, allowOf, routeOf } = this.#service;
    const handler = slice[name] as Handler;
    const route = routeOf(handler);
    if (!route) throw new RangeError(`${String(name)} is no route`);
    const request = {
      id: randomUUID(), url: route.path, params: asked.params ?? {}, query: asked.query ?? {}, body: Buffer.from(JSON.stringify(asked.body ?? {})),
      headers: { 'idempotency-key': asked.key ?? randomUUID(), 'if-match': asked.ifMatch }, role: asked.role,
      caller: { subject: 'somebody', organisationId: asked.organisationId ?? randomUUID(), roles: [asked.role], scopes: [...asked.scopes], clientId: 'client' },
    };
    const act = new Act({ route, action: allowOf(handler) as Action, request, reply: { header: () => {}, status: () => {} } });
    return handler.call(slice, act as never) as AnswerOf<Slice[Name]>;
  };
}

/** The code with which it was refused, or `done`. Any other error is thrown. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}
