// Compiles every package; the compiler keeps what is up to date.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { codeOf, environment, nodeProgram, root, startProgress } from './terminal.mjs';

/** Builds all packages, or throws with what the compiler found. */
export async function build() {
  const progress = startProgress('Building');
  const { code, output } = await runQuietly([join('node_modules', '@typescript', 'native', 'bin', 'tsc'), '-b']);
  progress.end(code === 0 ? 'done' : 'failed');
  if (code !== 0) throw new Error(output);
}

/** Runs a script of the packages under our Node and gathers what it prints. */
export async function runQuietly(args, extraEnvironment = {}) {
  const child = spawn(nodeProgram(), args, { cwd: root, env: environment(extraEnvironment), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(codeOf(exitCode, signal)));
  });
  return { code, output: output.trim() };
}
