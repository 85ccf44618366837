import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'amana-launch-'));
const heard = join(folder, 'heard');
const program = join(folder, 'program.mjs');
const launcher = join(folder, 'launcher.mjs');
const toolUrl = (name: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
let started: ChildProcess | undefined;

// A program that notes each signal and takes a while to stop, as the network does.
writeFileSync(program, `
  import { appendFileSync } from 'node:fs';
  const note = (word) => appendFileSync(${JSON.stringify(heard)}, word + '\\n');
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { note(signal); setTimeout(() => { note('stopped'); process.exit(7); }, 400); });
  setInterval(() => undefined, 1000);
  note('up');`);
writeFileSync(launcher, `
  import { launch } from ${toolUrl('launch.mjs')};
  import { main } from ${toolUrl('terminal.mjs')};
  await main((args) => launch(${JSON.stringify(program)}, args));`);

afterEach(() => {
  started?.kill('SIGKILL');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function noted(word: string): Promise<string[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const words = readFileSync(heard, 'utf8').split('\n').filter(Boolean);
    if (words.includes(word)) return words;
    if (Date.now() > deadline) throw new Error(`never noted "${word}", only: ${words.join(', ')}`);
    await delay(20);
  }
}

async function start(): Promise<ChildProcess> {
  writeFileSync(heard, '');
  started = spawn(process.execPath, [launcher], { stdio: 'ignore', detached: true });
  await noted('up');
  return started;
}

describe('launching a program', () => {
  it('asks it to stop once although Ctrl-C arrives twice, and exits with its code when it is gone', async () => {
    const child = await start();
    const code = new Promise((resolve) => child.once('exit', resolve));
    // Once from the terminal to the whole group, once more from npm.
    process.kill(-(child.pid ?? 0), 'SIGINT');
    child.kill('SIGINT');
    expect(await code).toBe(7);
    expect(await noted('stopped')).toEqual(['up', 'SIGINT', 'stopped']);
  });

  it('does not leave it running when the launcher itself is killed', async () => {
    // Elsewhere no tool makes the system promise it.
    if (process.platform !== 'linux') return;
    const child = await start();
    child.kill('SIGKILL');
    expect(await noted('stopped')).toContain('SIGTERM');
  });
});
