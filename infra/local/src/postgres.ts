import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { EngineProcess, EngineSpec } from './engine-process.ts';
import { EngineStartError, findProcess, startEngine } from './engine-process.ts';
import { freePort } from './loopback.ts';
import type { PostgresHome } from './postgres-home.ts';
import { findPostgresHome, handOver, idsOf } from './postgres-home.ts';

export interface PostgresOptions {
  /** Keeps the data (`postgres/`), the password, the log and the pid file between starts. */
  stateDir: string;
  /** A free loopback port is taken unless one is given. */
  port?: number | undefined;
  /** `false` switches fsync off: only for data that nobody misses after a crash of the machine. */
  durable?: boolean;
  onProgress?: (line: string) => void;
}

/** A running PostgreSQL server for tests and the demo, on loopback only. */
export interface Postgres {
  /** The superuser's URL of the database `postgres`; it stays the same over `restart`. */
  readonly url: string;
  readonly port: number;
  /** The postmaster's process id; a new one after `restart`. */
  readonly pid: number;
  /** Ends sessions and shuts down cleanly. Resolves when the process is gone; harmless twice. */
  stop(): Promise<void>;
  /** SIGKILL of the postmaster, as a fault would: committed data must survive it. */
  kill(): Promise<void>;
  /** Starts again on the same port and data, after a stop or kill or from running. */
  restart(): Promise<void>;
}

const MAX_CONNECTIONS = 400;
const READY_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 3;
const PORT_TAKEN = /could not bind/;
/** Sessions of a killed postmaster end by themselves, but each only after its current statement. */
const ORPHAN_SESSIONS = /pre-existing shared memory block/;

/**
 * Starts the PostgreSQL server that comes with the npm packages, creating its data on the first start. Throws when the
 * machine has no binaries for it, when another process runs on the same data, or when it is not ready within 60 s.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const stateDir = resolve(options.stateDir);
  const tell = options.onProgress ?? (() => undefined);
  const home = findPostgresHome(stateDir, tell);
  const password = await ensureCluster(stateDir, home, tell);
  let port = options.port ?? (await freePort());
  let engine: EngineProcess | undefined;

  const start = (passing: RegExp): Promise<EngineProcess> => startServer({ stateDir, home, port, durable: options.durable ?? true }, passing);
  for (let attempt = 1; engine === undefined; attempt++) {
    try {
      engine = await start(ORPHAN_SESSIONS);
    } catch (error) {
      const portTaken = error instanceof EngineStartError && PORT_TAKEN.test(error.logTail);
      if (!portTaken || options.port !== undefined || attempt === START_ATTEMPTS) throw error;
      port = await freePort();
    }
  }
  let running = engine;
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    get pid() {
      return running.pid;
    },
    stop: () => running.stop(),
    kill: () => running.kill(),
    async restart() {
      await running.stop();
      running = await start(new RegExp(`${ORPHAN_SESSIONS.source}|${PORT_TAKEN.source}`));
    },
  };
}

/** Creates the data folder once, whole or not at all, and returns the superuser's password. */
async function ensureCluster(stateDir: string, home: PostgresHome, tell: (line: string) => void): Promise<string> {
  const passwordFile = join(stateDir, 'postgres.password');
  const { dataDir, account } = home;
  if (existsSync(join(dataDir, 'PG_VERSION'))) {
    if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8');
    const inside = dataDir.startsWith(`${stateDir}/`);
    if (inside) throw new Error(`The database's password (${passwordFile}) is gone. Remove ${dataDir} to begin anew.`);
    // The state folder was removed to begin anew; data kept outside it follows.
    rmSync(dataDir, { recursive: true, force: true });
  }
  tell('Creating the database files.');
  const password = randomBytes(24).toString('base64url');
  const draft = `${dataDir}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  handOver(draft, account);
  const handed = `${dataDir}.password`;
  writeFileSync(handed, password, { mode: 0o600 });
  handOver(handed, account);
  const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
  const args = ['-D', draft, '-U', 'postgres', `--pwfile=${handed}`, '--auth=scram-sha-256', '--encoding=UTF8', `--locale=${locale}`];
  try {
    // The built-in provider sorts and folds the same on every machine, whatever its C library.
    await promisify(execFile)(join(home.binDir, 'initdb'), [...args, '--locale-provider=builtin', '--builtin-locale=C.UTF-8'], {
      cwd: '/',
      env: { ...process.env, LC_ALL: locale },
      ...idsOf(account),
    });
  } finally {
    rmSync(handed, { force: true });
  }
  writeFileSync(passwordFile, password, { mode: 0o600 });
  chmodSync(passwordFile, 0o600);
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(draft, dataDir);
  return password;
}

interface ServerStart {
  stateDir: string;
  home: PostgresHome;
  port: number;
  durable: boolean;
}

async function startServer({ stateDir, home, port, durable }: ServerStart, passing: RegExp): Promise<EngineProcess> {
  const { dataDir, binDir, account } = home;
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: MAX_CONNECTIONS,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // An error's DETAIL and STATEMENT carry column values: they stay out of the log.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  forgetStrangersPid(dataDir);
  const engine: EngineSpec = {
    name: 'PostgreSQL',
    command: join(binDir, 'postgres'),
    args: ['-D', dataDir, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    mark: dataDir,
    env: { LC_ALL: process.platform === 'linux' ? 'C.UTF-8' : 'C' },
    account: idsOf(account),
    logFile: join(stateDir, 'postgres.log'),
    pidFile: join(stateDir, 'postgres.pid'),
    readyLine: 'database system is ready to accept connections',
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopSignal: 'SIGINT',
    parentDeathSignal: 'SIGINT',
  };
  return await startEngine(engine, passing);
}

/**
 * After a SIGKILL, postmaster.pid stays behind; the server removes it itself unless the number has meanwhile been
 * given to another program of the same account, which it would take for a running server.
 */
function forgetStrangersPid(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const strangers = !(findProcess(pid)?.args.includes(dataDir) ?? false);
  if (strangers) rmSync(file);
}
