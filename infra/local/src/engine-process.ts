import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How one engine (a database or a broker) is started, recognised and ended. */
export interface EngineSpec {
  name: string;
  command: string;
  args: string[];
  /** A path among `args` that no other process carries: it tells our engine from a stranger with a reused pid. */
  mark: string;
  env?: Record<string, string>;
  /** The account to run as; only root can switch. */
  account?: { uid: number; gid: number } | undefined;
  logFile: string;
  pidFile: string;
  /** Text of the log line after which the engine takes connections. */
  readyLine: string;
  readyTimeoutMs: number;
  stopSignal: 'SIGINT' | 'SIGTERM';
  /** Sent by the kernel when this Node process dies without stopping the engine. */
  parentDeathSignal: 'SIGINT' | 'SIGKILL';
}

export interface EngineProcess {
  readonly pid: number;
  /** Asks the engine to end, and ends it by force after 20 s. Resolves when the process is gone; harmless twice. */
  stop(): Promise<void>;
  /** SIGKILL, as a fault would. Resolves when the process is gone. */
  kill(): Promise<void>;
}

/** A start that failed; `logTail` holds what the engine said, so that a caller can tell a retry from a defect. */
export class EngineStartError extends Error {
  readonly logTail: string;

  constructor(message: string, logTail: string) {
    super(logTail ? `${message}\n${logTail}` : message);
    this.logTail = logTail;
  }
}

const POLL_MS = 15;
const STOP_GRACE_MS = 20_000;
const PASSING_TROUBLE_MS = 30_000;
const RETRY_MS = 50;
const LOG_LIMIT_BYTES = 4 * 1024 * 1024;
const TAIL_LINES = 15;

/**
 * Starts one engine in its own process group (a Ctrl-C meant for Node must not reach it before Node stops it) and
 * resolves once its log says that it is ready. A start whose log names one of the `passing` troubles is tried again for
 * 30 s. Throws EngineStartError when the engine ends or stays silent until then.
 */
export async function startEngine(spec: EngineSpec, passing?: RegExp): Promise<EngineProcess> {
  await endLeftover(spec);
  const deadline = Date.now() + PASSING_TROUBLE_MS;
  for (;;) {
    try {
      return await startOnce(spec);
    } catch (error) {
      const passes = error instanceof EngineStartError && passing?.test(error.logTail) === true;
      if (!passes || Date.now() > deadline) throw error;
      await delay(RETRY_MS);
    }
  }
}

async function startOnce(spec: EngineSpec): Promise<EngineProcess> {
  const log = openLog(spec.logFile);
  const logStart = fstatSync(log).size;
  const [command, ...args] = [...withParentDeathSignal(spec.parentDeathSignal), spec.command, ...spec.args] as [string, ...string[]];
  // The log is a file, not a pipe: the engine must not trip over a reader that died.
  const child = spawn(command, args, { cwd: '/', env: { ...process.env, ...spec.env }, detached: true, stdio: ['ignore', log, log], ...spec.account });
  closeSync(log);
  const pid = child.pid;
  let ended = false;
  const lastResort = (): void => signal(pid, spec.parentDeathSignal);
  process.once('exit', lastResort);
  const gone = new Promise<void>((resolve) => {
    const settle = (error?: unknown): void => {
      if (error instanceof Error) writeFileSync(spec.logFile, `${error.message}\n`, { flag: 'a' });
      ended = true;
      process.removeListener('exit', lastResort);
      rmSync(spec.pidFile, { force: true });
      resolve();
    };
    child.once('exit', () => settle());
    child.once('error', settle);
  });
  if (pid !== undefined) writeFileSync(spec.pidFile, JSON.stringify({ pid, owner: process.pid }), { mode: 0o600 });
  const engine: EngineProcess = {
    pid: pid ?? -1,
    stop: () => end(spec.stopSignal),
    kill: () => end('SIGKILL'),
  };
  async function end(first: NodeJS.Signals): Promise<void> {
    if (ended) return;
    signal(pid, first);
    const force = setTimeout(() => signal(pid, 'SIGKILL'), STOP_GRACE_MS);
    await gone;
    clearTimeout(force);
  }

  const deadline = Date.now() + spec.readyTimeoutMs;
  while (!readFrom(spec.logFile, logStart).includes(spec.readyLine)) {
    const late = Date.now() > deadline;
    if (late) await engine.kill();
    if (late || ended) {
      const why = late ? `was not ready after ${spec.readyTimeoutMs / 1000} s` : 'ended before it was ready';
      throw new EngineStartError(`${spec.name} ${why}.`, tailOf(readFrom(spec.logFile, logStart)));
    }
    await delay(POLL_MS);
  }
  return engine;
}

/**
 * Deals with the engine of an earlier run that the pid file names: a number that now belongs to somebody else is
 * forgotten, an orphan is ended, and one whose Node still lives is respected by throwing.
 */
async function endLeftover({ name, pidFile, mark, stopSignal }: EngineSpec): Promise<void> {
  if (!existsSync(pidFile)) return;
  const noted = JSON.parse(readFileSync(pidFile, 'utf8') || '{}') as { pid?: number; owner?: number };
  const leftover = (): boolean => findProcess(noted.pid)?.args.includes(mark) ?? false;
  if (leftover() && findProcess(noted.pid)?.parent === noted.owner) {
    throw new EngineStartError(`${name} of this state folder already runs for process ${noted.owner}: stop that one first.`, '');
  }
  if (leftover()) signal(noted.pid, stopSignal);
  const deadline = Date.now() + STOP_GRACE_MS;
  while (leftover() && Date.now() < deadline) await delay(POLL_MS);
  if (leftover()) signal(noted.pid, 'SIGKILL');
  while (leftover() && Date.now() < deadline + STOP_GRACE_MS) await delay(POLL_MS);
  rmSync(pidFile, { force: true });
}

/** What the system knows of a living process, or undefined for one that is gone (a zombie counts as gone). */
export function findProcess(pid: number | undefined): { parent: number; args: string } | undefined {
  if (pid === undefined || pid <= 0) return undefined;
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return undefined;
      return { parent: Number(parent), args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
    }
    const [parent, args] = spawnSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim().split(/\s(.*)/s);
    return args === undefined ? undefined : { parent: Number(parent), args };
  } catch {
    return undefined;
  }
}

let setprivWorks: boolean | undefined;

/** A command prefix after which the kernel ends the engine when this process dies, where the system has such a tool. */
export function withParentDeathSignal(deathSignal: 'SIGINT' | 'SIGKILL'): string[] {
  setprivWorks ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true']).status === 0;
  return setprivWorks ? ['setpriv', '--pdeathsig', deathSignal.slice(3), '--'] : [];
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It ended on its own: that is what was wanted.
  }
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

function readFrom(file: string, offset: number): string {
  const handle = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.min(fstatSync(handle).size - offset, LOG_LIMIT_BYTES));
    return bytes.toString('utf8', 0, readSync(handle, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(handle);
  }
}

function tailOf(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
