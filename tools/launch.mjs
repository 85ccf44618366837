// Runs one of our programs in the foreground and hands signals on to it, once each.
import { spawn, spawnSync } from 'node:child_process';
import { codeOf, environment, nodeProgram, root } from './terminal.mjs';

const SAME_PRESS_MS = 1_000;
const ORPHAN_POLL_MS = 500;

/**
 * Starts `script` and returns its exit code. It runs in a process group of its own: a Ctrl-C reaches this process from
 * the terminal and again from npm, and the program must be asked to stop only once. A second press, later, is handed on.
 */
export async function launch(script, args) {
  const command = [...dyingWithUs(), nodeProgram(), '--enable-source-maps', script, ...args];
  const child = spawn(command[0], command.slice(1), { cwd: root, env: environment(), stdio: 'inherit', detached: process.platform !== 'win32' });
  let handedOnAtMs = 0;
  const handOn = (signal) => {
    if (Date.now() - handedOnAtMs < SAME_PRESS_MS) return;
    handedOnAtMs = Date.now();
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, handOn);
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(() => handOn('SIGTERM'));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve(codeOf(exitCode, signal)));
  });
}

/** npm that is told to stop ends only the shell between it and us: that shell's death is our signal. */
function whenOrphaned(stop) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, ORPHAN_POLL_MS);
  timer.unref();
}

/** Where the system offers it, the program is asked to stop even when this process is killed outright. */
function dyingWithUs() {
  if (process.platform !== 'linux') return [];
  const works = spawnSync('setpriv', ['--pdeathsig', 'TERM', '--', 'true']).status === 0;
  return works ? ['setpriv', '--pdeathsig', 'TERM', '--'] : [];
}
