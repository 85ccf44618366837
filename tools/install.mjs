// Installs the packages of package-lock.json when they are not there. Runs before anything is installed, on Node 20
// and later: only node: imports here and in what this file imports.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, startProgress } from './terminal.mjs';

const LOCK_WAIT_MS = 15 * 60_000;
const POLL_MS = 500;
const TELL_MS = 1_000;
const TAIL_LINES = 30;

const modules = join(root, 'node_modules');
const stampFile = join(modules, '.amana-lock');

/**
 * Runs `npm ci` unless node_modules holds what package-lock.json asks for; one process at a time. Throws with the end
 * of npm's output when it fails.
 */
export async function ensureInstalled() {
  if (isInstalled()) return;
  const release = await takeLock(join(root, '.amana', 'install.lock'));
  try {
    if (isInstalled()) return;
    await runNpmCi();
    writeFileSync(stampFile, lockHash());
  } finally {
    release();
  }
}

function isInstalled() {
  if (!existsSync(modules)) return false;
  const hash = lockHash();
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === hash;
  // Somebody ran `npm ci` by hand: npm's own record says whether that was for this very lock file.
  if (!holdsWhatLockAsks()) return false;
  writeFileSync(stampFile, hash);
  return true;
}

function lockHash() {
  return createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
}

function holdsWhatLockAsks() {
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  return packagesOf().every(([path, wanted]) => {
    const found = present[path];
    // Optional packages are for other systems or may have failed to install: npm decides about them.
    return found === undefined ? wanted.optional === true || wanted.devOptional === true : found.version === wanted.version;
  });
}

function packagesOf() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).filter(([path]) => path.startsWith('node_modules/'));
}

async function runNpmCi() {
  const fits = ({ os = [], cpu = [] }) => (os.length === 0 || os.includes(process.platform)) && (cpu.length === 0 || cpu.includes(process.arch));
  const wanted = packagesOf().filter(([, wants]) => fits(wants)).map(([path]) => join(root, path, 'package.json'));
  const progress = startProgress('Installing packages', {
    everyMs: TELL_MS,
    detail: () => `${wanted.filter((file) => existsSync(file)).length} of about ${wanted.length}`,
  });
  // The npm that runs this script, if one does: it need not be the first in PATH.
  const byNpm = process.env.npm_execpath?.endsWith('.js');
  const [command, first] = byNpm ? [process.execPath, [process.env.npm_execpath]] : ['npm', []];
  const child = spawn(command, [...first, 'ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: !byNpm && process.platform === 'win32',
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const passOn = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, passOn);
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, passOn);
  if (code === 0) return progress.end('done');
  progress.end('failed');
  throw new Error(`npm ci ended with ${code}.\n${output.trim().split('\n').slice(-TAIL_LINES).join('\n')}`);
}

/** A folder is the lock: making one is atomic everywhere. One whose holder died is taken over. */
async function takeLock(folder) {
  mkdirSync(join(folder, '..'), { recursive: true });
  const holderFile = join(folder, 'pid');
  const deadline = Date.now() + LOCK_WAIT_MS;
  let told = false;
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(holderFile, String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (Date.now() > deadline) throw new Error(`${folder} is held by another install for too long; remove it if none is running.`);
    if (!told) console.error('Another install is running; waiting for it.');
    told = true;
    if (existsSync(holderFile) && !isAlive(Number(readFileSync(holderFile, 'utf8')))) rmSync(folder, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function isAlive(pid) {
  if (!(pid > 0)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
