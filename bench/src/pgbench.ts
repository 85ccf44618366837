import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Session } from './benchmark.ts';

export interface PgbenchRun {
  readonly adminUrl: string;
  readonly session: Session;
  readonly script: string;
  readonly clients: number;
  readonly seconds: number;
  /** Transactions a second; as fast as possible unless given. */
  readonly rate?: number;
  /** Values of the script's variables; they live on from one transaction of a client to its next. */
  readonly variables?: Readonly<Record<string, number>>;
}

export interface PgbenchResult {
  readonly perSecond: number;
  /** How long each transaction took. */
  readonly latenciesMs: readonly number[];
}

export const withoutPgbench = 'pgbench is missing: it comes with PostgreSQL\'s client programs (Debian: apt-get install postgresql-contrib)';

/** Where pgbench or psql is: on the PATH, or where Debian keeps the programs of each version. */
export function findPostgresProgram(name: 'pgbench' | 'psql'): string | undefined {
  const versions = '/usr/lib/postgresql';
  const installed = existsSync(versions) ? readdirSync(versions).sort().reverse().map((version) => join(versions, version, 'bin')) : [];
  return [...(process.env.PATH ?? '').split(delimiter), ...installed].map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The connection as libpq's programs take it from the environment: a password never stands on a command line. */
export function libpqEnvironment(url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    PATH: process.env.PATH, PGHOST: hostname, PGPORT: port, PGUSER: decodeURIComponent(username), PGPASSWORD: decodeURIComponent(password), PGDATABASE: pathname.slice(1),
  };
}

/** Runs a script of prepared statements. Throws when pgbench is missing or one transaction failed. */
export async function runPgbench(run: PgbenchRun): Promise<PgbenchResult> {
  const program = findPostgresProgram('pgbench');
  if (program === undefined) throw new Error(withoutPgbench);
  const folder = run.session.folder();
  writeFileSync(join(folder, 'script.sql'), run.script);
  const args = [
    '--no-vacuum', '--protocol=prepared', `--client=${run.clients}`, `--jobs=${Math.min(run.clients, 2)}`, `--time=${run.seconds}`, '--file=script.sql',
    '--log', '--log-prefix=log', ...(run.rate === undefined ? [] : [`--rate=${run.rate}`]), ...Object.entries(run.variables ?? {}).map(([name, value]) => `--define=${name}=${value}`),
  ];
  const { stdout, stderr } = await promisify(execFile)(program, args, { env: libpqEnvironment(run.adminUrl), cwd: folder, signal: run.session.signal });
  const perSecond = /^tps = ([\d.]+) \(without initial connection time\)/m.exec(stdout)?.[1];
  if (perSecond === undefined || /aborted/.test(stderr)) throw new Error(`pgbench failed: ${stderr.slice(0, 500)}`);
  return { perSecond: Number(perSecond), latenciesMs: readLog(folder, run.rate !== undefined) };
}

/**
 * Milliseconds from the lines of the log: client, transaction, microseconds, script, epoch, microsecond[, lag]. With a
 * rate the time also holds the wait for the transaction's turn, which is not its own.
 */
function readLog(folder: string, paced: boolean): number[] {
  const files = readdirSync(folder).filter((name) => name.startsWith('log'));
  return files.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')).map((line) => {
    const fields = line.split(' ');
    return (Number(fields[2]) - (paced ? Number(fields[6]) : 0)) / 1_000;
  });
}
