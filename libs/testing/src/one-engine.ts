import { join } from 'node:path';
import { Clock, Database, SealedStore } from '@amana/persistence';
import { type LocalKeyring, openLocalKeyring } from '@amana/privacy';
import { AuditTrail, Looks, type ServiceDefinition, StreamEngine } from '@amana/service';
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

/** The parts of one service on a database of its own, without HTTP and bus: for slices that are called directly. */
export class OneEngine extends House {
  readonly #starter: PostgresStarter;
  #parts: Engine | undefined;

  constructor(definition: ServiceDefinition, starter: PostgresStarter) {
    super(definition);
    this.#starter = starter;
  }

  /** Answers what slices are made with. */
  async start(): Promise<Engine> {
    const { name: service, migrations, projections } = this.definition;
    const { stateDir, adminUrl } = await this.openGround(this.#starter);
    const database = new Database(await throwawayDatabase(adminUrl, service, migrations));
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
}
