import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export interface PgbenchRun {
  readonly adminUrl: string;
  /** Where the script and the log of the run are kept. */
  readonly folder: string;
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

let runsOfThisProcess = 0;

/** Runs a script of prepared statements. Throws when pgbench is missing or one transaction failed. */
export async function runPgbench(run: PgbenchRun): Promise<PgbenchResult> {
  const program = findPostgresProgram('pgbench');
  if (program === undefined) throw new Error(withoutPgbench);
  runsOfThisProcess += 1;
  const prefix = join(run.folder, `pgbench-${runsOfThisProcess}`);
  writeFileSync(`${prefix}.sql`, run.script);
  const args = [
    '--no-vacuum', '--protocol=prepared', `--client=${run.clients}`, `--jobs=${Math.min(run.clients, 2)}`, `--time=${run.seconds}`, `--file=${prefix}.sql`,
    '--log', `--log-prefix=${prefix}.log`, ...(run.rate === undefined ? [] : [`--rate=${run.rate}`]), ...Object.entries(run.variables ?? {}).map(([name, value]) => `--define=${name}=${value}`),
  ];
  const { stdout, stderr } = await promisify(execFile)(program, args, { env: libpqEnvironment(run.adminUrl), cwd: run.folder });
  const perSecond = /^tps = ([\d.]+) \(without initial connection time\)/m.exec(stdout)?.[1];
  if (perSecond === undefined || /aborted/.test(stderr)) throw new Error(`pgbench failed: ${stderr.slice(0, 500)}`);
  return { perSecond: Number(perSecond), latenciesMs: readLog(run.folder, `pgbench-${runsOfThisProcess}.log`, run.rate !== undefined) };
}

/** Lines: client, transaction, microseconds, script, epoch, microsecond[, lag]. With a rate the time includes the wait for its turn, which is not the transaction's. */
function readLog(folder: string, prefix: string, paced: boolean): number[] {
  return readdirSync(folder).filter((name) => name.startsWith(prefix)).flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')).map((line) => {
    const fields = line.split(' ');
    return (Number(fields[2]) - (paced ? Number(fields[6] ?? 0) : 0)) / 1000;
  });
}
