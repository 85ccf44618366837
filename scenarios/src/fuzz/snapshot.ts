import { setTimeout as wait } from 'node:timers/promises';
import { openPool, type Pool } from '@amana/persistence';

/** What a refused request may leave behind: its audit entry on its way through event log, relay and inbox to the audit service. */
const left: Readonly<Record<string, string>> = {
  event: 'topic IS NULL OR topic NOT LIKE \'%.audit.v1\'', inbox: 'topic NOT LIKE \'%.audit.v1\'', relay_state: 'false', due: 'kind <> \'housekeeping\'', audit_entry: 'false',
  ledger_pending: 'false', ledger_head: 'false', ledger_entry: 'false', ledger_tile: 'false', ledger_checkpoint: 'false',
};

const settleWithinMs = 20_000;

/** What is to be delivered or has come due would change rows by itself. */
const underWay = 'SELECT \'\' AS name, count(*) FILTER (WHERE CASE clock WHEN \'real\' THEN kind <> \'housekeeping\' ELSE due_at < now() + interval \'1 minute\' END)::text AS sum FROM due';

/** All rows of all databases of a network, as counts and checksums. */
export class Snapshots {
  readonly #pools: ReadonlyMap<string, Pool>;
  readonly #queries = new Map<string, string>();

  constructor(urls: ReadonlyMap<string, { readonly ownerUrl: string }>) {
    this.#pools = new Map([...urls].map(([service, { ownerUrl }]) => [service, openPool(ownerUrl, 1)]));
  }

  /** Count and checksum of each table by `service.table`, once two looks have seen the same and nothing is under way. Throws when that does not come about within 20 s. */
  async settled(): Promise<ReadonlyMap<string, string>> {
    let before = await this.#look();
    for (const untilMs = Date.now() + settleWithinMs; Date.now() < untilMs;) {
      await wait(30);
      const now = await this.#look();
      if (differences(before, now).length === 0 && [...now].every(([table, sum]) => !table.endsWith('.') || sum === '0')) return now;
      before = now;
    }
    throw new Error('The network does not come to rest');
  }

  /** The version of a stream, as its next change must name it. */
  async versionOf(service: string, stream: string): Promise<number> {
    const { rows } = await this.#pools.get(service)!.query<{ version: number }>('SELECT coalesce(max(version), 0)::int AS version FROM event WHERE stream = $1', [stream]);
    return rows[0]!.version;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }

  async #look(): Promise<Map<string, string>> {
    const found = await Promise.all([...this.#pools].map(async ([service, pool]) => {
      const { rows } = await pool.query<{ name: string; sum: string }>(await this.#query(service, pool));
      return rows.map(({ name, sum }): [string, string] => [`${service}.${name}`, sum]);
    }));
    return new Map(found.flat());
  }

  async #query(service: string, pool: Pool): Promise<string> {
    const known = this.#queries.get(service);
    if (known) return known;
    const { rows } = await pool.query<{ place: string; name: string }>(
      'SELECT format(\'%I.%I\', schemaname, tablename) AS place, tablename AS name FROM pg_tables WHERE schemaname NOT IN (\'pg_catalog\', \'information_schema\') AND tablename NOT LIKE \'migration_%\' ORDER BY 1',
    );
    const text = [underWay, ...rows.map(({ place, name }) => `SELECT '${name}' AS name, count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS sum FROM ${place} t WHERE ${left[name] ?? 'true'}`)].join(' UNION ALL ');
    this.#queries.set(service, text);
    return text;
  }
}

/** The tables that are not as they were. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...after].filter(([table, sum]) => before.get(table) !== sum).map(([table, sum]) => `${table} ${before.get(table)} -> ${sum}`);
}
