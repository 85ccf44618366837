import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withParentDeathSignal } from './engine-process.ts';

export interface Java {
  command: string;
  /** As `java -version` tells it, "17.0.15" for example. */
  version: string;
  major: number;
}

const OUTPUT_LIMIT_CHARS = 100_000;
let known: { key: string; java: Java | undefined } | undefined;

/** The Java of JAVA_HOME, else of PATH, or undefined where neither works. Asked once per process and setting. */
export function findJava(): Java | undefined {
  const { JAVA_HOME, PATH } = process.env;
  const key = `${JAVA_HOME}|${PATH}`;
  if (known?.key !== key) known = { key, java: askJava(JAVA_HOME ? join(JAVA_HOME, 'bin', 'java') : findProgram('java')) };
  return known.java;
}

/** The full path of a program in PATH, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => isExecutable(path));
}

/**
 * Runs a command to its end and ends it with this process. Throws with the end of its output when it fails or takes
 * longer than `timeoutMs`.
 */
export async function runToEnd([command, ...args]: [string, ...string[]], timeoutMs: number): Promise<void> {
  const [program, ...rest] = [...withParentDeathSignal('SIGKILL'), command, ...args] as [string, ...string[]];
  const child = spawn(program, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT_CHARS);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const lastResort = (): void => void child.kill('SIGKILL');
  process.once('exit', lastResort);
  const [code, cause] = await new Promise<[number | string, unknown?]>((resolve) => {
    child.once('error', (error) => resolve([1, error]));
    child.once('close', (exitCode, signal) => resolve([exitCode ?? signal ?? 'an unknown signal']));
  });
  process.removeListener('exit', lastResort);
  if (code === 0) return;
  throw new Error(`${command} ended with ${code}.\n${output.trim().split('\n').slice(-15).join('\n')}`, { cause });
}

function askJava(command: string | undefined): Java | undefined {
  if (command === undefined) return undefined;
  const version = /version "([^"]+)"/.exec(spawnSync(command, ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1];
  // "1.8.0_402" is Java 8; from 9 on the first number is the major one.
  const major = Number(version?.replace(/^1\./, '').split(/[._-]/)[0]);
  return version === undefined || Number.isNaN(major) ? undefined : { command, version, major };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
