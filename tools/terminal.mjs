// What the commands share: where the checkout is, which Node runs it, and how progress is told.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;

/** The Node 24 that comes with the packages, else the one that runs this. */
export function nodeProgram() {
  const packaged = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  const works = process.platform !== 'win32' && existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0;
  return works ? packaged : process.execPath;
}

/** The environment for our programs: the packages' own commands come first. */
export function environment(extra = {}) {
  return {
    ...process.env,
    PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
    NODE_COMPILE_CACHE: join(root, '.amana', 'compile-cache'),
    NX_DAEMON: 'false',
    ...extra,
  };
}

/**
 * Tells that something takes time: a spinner on a terminal, a plain line every `everyMs` elsewhere. `detail` may add
 * how far it is. End it with one word.
 */
export function startProgress(title, { everyMs = 5_000, detail = () => '' } = {}) {
  const startedAtMs = Date.now();
  const tty = process.stderr.isTTY === true;
  const line = () => [`${title}: ${secondsSince(startedAtMs)}`, detail()].filter(Boolean).join(', ');
  let turn = 0;
  let current = '';
  if (!tty) console.error(`${title} ...`);
  const timer = setInterval(() => {
    if (!tty) return console.error(line());
    if (turn % 10 === 0) current = line();
    process.stderr.write(`\r\x1b[2K${SPINNER[turn++ % SPINNER.length]} ${current}`);
  }, tty ? SPIN_MS : everyMs);
  return {
    end(word) {
      clearInterval(timer);
      if (tty) process.stderr.write('\r\x1b[2K');
      console.error(`${title}: ${word} (${secondsSince(startedAtMs)})`);
    },
  };
}

export function secondsSince(startedAtMs) {
  const seconds = (Date.now() - startedAtMs) / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** Runs a command's main function; an expected failure is told in one piece, without a stack of our own. */
export async function main(run) {
  try {
    process.exitCode = await run(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** The exit code that a shell would report for a process ended by a signal. */
export function codeOf(exitCode, signal) {
  return exitCode ?? 128 + (constants.signals[signal] ?? 1);
}
