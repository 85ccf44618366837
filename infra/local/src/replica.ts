import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ServiceName } from '@amana/contracts';
import { environment, startService, type ServiceSettingsInput } from '@amana/service';
import { serviceDefinitions } from './services.ts';

/** One running copy of a service, in this process or in one of its own. */
export interface Replica {
  readonly service: ServiceName;
  readonly url: string;
  /** Undefined while it runs in this process. */
  readonly pid: number | undefined;
  setClockOffset(offsetMs: number): void;
  stop(): Promise<void>;
  /** SIGKILL, as a fault would; only for a process of its own. */
  kill(): Promise<void>;
}

const checkout = resolve(import.meta.dirname, '../../..');
const readyWithinMs = 120_000;
const stopWithinMs = 25_000;

/** Runs a service in this process: the quickest start, and one process for the whole sandbox. */
export async function startInProcess(settings: ServiceSettingsInput): Promise<Replica> {
  const running = await startService(serviceDefinitions[settings.service], settings);
  return {
    service: settings.service, url: running.url, pid: undefined,
    setClockOffset: (offsetMs) => running.clock.moveTo(offsetMs),
    stop: () => running.stop(),
    kill: () => Promise.reject(new Error('A service in this process cannot be killed alone')),
  };
}

/** Runs a service as its own process, as it runs in production: settings by environment, a ready line on stdout, its log in `logDir`. */
export async function startProcess(settings: ServiceSettingsInput, options: { logDir: string; name: string; env?: NodeJS.ProcessEnv }): Promise<Replica> {
  mkdirSync(options.logDir, { recursive: true });
  const child = spawn(process.execPath, ['--enable-source-maps', '--import', '@amana/telemetry/register', join(checkout, 'services', settings.service, 'dist/main.js')], {
    cwd: checkout, env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, AMANA_SERVICE: settings.service, ...toEnvironment(settings), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true,
  });
  const log = createWriteStream(join(options.logDir, `${options.name}.log`), { flags: 'a' });
  child.stderr!.pipe(log);
  const url = await readyUrl(child, log);
  const ended = new Promise<void>((done) => { child.once('exit', () => done()); });
  return {
    service: settings.service, url, pid: child.pid,
    setClockOffset: (offsetMs) => { child.send({ clockOffsetMs: offsetMs }); },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await ended;
      clearTimeout(late);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function readyUrl(child: ChildProcess, log: NodeJS.WritableStream): Promise<string> {
  return new Promise((done, failed) => {
    const late = setTimeout(() => { child.kill('SIGKILL'); failed(new Error('The service was not ready within 120 s')); }, readyWithinMs);
    let heard = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      log.write(chunk);
      if (heard.length > 1_000_000) return;
      heard += chunk.toString('utf8');
      const url = /^serving (http:\/\/\S+)$/m.exec(heard)?.[1];
      if (url) { clearTimeout(late); heard = 'x'.repeat(1_000_001); done(url); }
    });
    child.once('exit', (code, signal) => { clearTimeout(late); failed(new Error(`The service ended before it was ready (${signal ?? code})`)); });
  });
}

/** The environment by which a process is told these settings. */
export function toEnvironment(settings: ServiceSettingsInput): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).flatMap(([setting, variable]) => {
    const value = settings[setting as keyof ServiceSettingsInput];
    if (value === undefined) return [];
    return [[variable, Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value)]];
  }));
}
