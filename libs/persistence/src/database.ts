import pg from 'pg';

export interface DatabaseSettings {
  /** The serving role: not the owner, no right to change tables. */
  readonly appUrl: string;
  /** The role that reads published rows and owns the relay's cursor. */
  readonly relayUrl: string;
}

/** HTTP, bus, due rows and relay do not wait for each other's connections. */
const poolSizes = { app: 8, bus: 7, due: 2, relay: 3 } as const;

/** The connections of one service, by what they are for. Connections are opened when first needed. */
export class Database {
  readonly app: pg.Pool;
  readonly bus: pg.Pool;
  readonly due: pg.Pool;
  readonly relay: pg.Pool;

  constructor(settings: DatabaseSettings, onError: (error: Error) => void = () => {}) {
    this.app = openPool(settings.appUrl, poolSizes.app, onError);
    this.bus = openPool(settings.appUrl, poolSizes.bus, onError);
    this.due = openPool(settings.appUrl, poolSizes.due, onError);
    this.relay = openPool(settings.relayUrl, poolSizes.relay, onError);
  }

  async close(): Promise<void> {
    await Promise.all([this.app.end(), this.bus.end(), this.due.end(), this.relay.end()]);
  }
}

/**
 * A pool of pipelining connections with the time limits of the house: a statement 5 s, a lock 2 s, an idle transaction 10 s.
 * An error on an idle connection goes to `onError`: without a listener it would end the process.
 */
export function openPool(url: string, max: number, onError: (error: Error) => void = () => {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url, max, pipeline: true, connectionTimeoutMillis: 5_000, idleTimeoutMillis: 60_000, keepAlive: true,
    // Plans made for the first parameters of a poll would walk the wrong index for ever once the log is large.
    options: '-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 -c max_parallel_workers_per_gather=0 -c timezone=UTC',
  } as pg.PoolConfig);
  pool.on('error', onError);
  return pool;
}
