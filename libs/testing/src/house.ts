import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@amana/persistence';
import { type AuditLeaf, readLeaf } from '@amana/privacy';
import type { ServiceDefinition } from '@amana/service';
import { throwawayServer } from './throwaway-database.ts';

/** Starts a database server in the folder given. The sandbox has one, and a library cannot reach for the sandbox. */
export interface PostgresStarter {
  startPostgres(options: { stateDir: string; durable: boolean }): Promise<{ url: string; stop(): Promise<void> }>;
}

/** What a service, or a part of one, is tried in: a throw-away server, what can be seen in its database, and an orderly end. */
export abstract class House {
  readonly definition: ServiceDefinition;
  /** What ends what was started, in the order of starting. */
  readonly #ends: (() => Promise<void>)[] = [];

  constructor(definition: ServiceDefinition) {
    this.definition = definition;
  }

  abstract get database(): Database;

  /** Ends everything, the last started first, also what a failed start has left. Throws at the end if anything did not stop. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const end of this.#ends.splice(0).reverse()) await end().catch((error: unknown) => { failures.push(error); });
    if (failures.length > 0) throw new AggregateError(failures, 'Not everything stopped');
  }

  /** Rows of the service's own database, through its serving role. */
  readonly rows = async <Row extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await this.database.app.query(text, values)).rows as Row[];

  /** The audit entries under this key, or all of them, in the order of writing. */
  readonly leavesOf = async (key?: string): Promise<AuditLeaf[]> => {
    const written = await this.rows<{ leaf: string }>('SELECT data->>\'leaf\' AS leaf FROM event WHERE topic = $1 AND ($2::text IS NULL OR key = $2) ORDER BY position', [`${this.definition.name}.audit.v1`, key ?? null]);
    return written.map(({ leaf }) => readLeaf(Buffer.from(leaf, 'base64url')));
  };

  /** The tables in which one of these words stands in clear. Throws if there is nothing to search. */
  readonly tablesWith = async (...words: string[]): Promise<string[]> => {
    const tables = await this.rows<{ name: string }>(`SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname IN ('public', 'keys') AND has_table_privilege(c.oid, 'SELECT')`);
    if ((await this.rows('SELECT 1 FROM event LIMIT 1')).length === 0) throw new Error('Nothing has happened yet that could be found');
    const found = await Promise.all(tables.map(({ name }) => this.rows(`SELECT 1 FROM ${name} t WHERE t::text LIKE ANY ($1) LIMIT 1`, [words.map((word) => `%${word}%`)])));
    return tables.map(({ name }) => name).filter((_, index) => found[index]!.length > 0);
  };

  /** What `stop` has to do for something that is started now. */
  protected endBy(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** A folder and a server, each gone after `stop`. */
  protected async openGround(starter: PostgresStarter): Promise<{ stateDir: string; adminUrl: string }> {
    const stateDir = mkdtempSync(join(tmpdir(), `amana-${this.definition.name}-`));
    this.endBy(async () => { rmSync(stateDir, { recursive: true, force: true }); });
    const server = await throwawayServer((dir) => starter.startPostgres({ stateDir: dir, durable: false }));
    this.endBy(() => server.stop());
    return { stateDir, adminUrl: server.adminUrl };
  }
}
