import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ClientKeyFile, clientKeyPath, readJsonFile, tokenForClient } from '@amana/local';
import { eventually } from '@amana/testing';

const checkout = join(import.meta.dirname, '../..');
const readyWithinMs = 120_000;
const stateDir = mkdtempSync(join(tmpdir(), 'amana-tour-'));
const runningFile = join(stateDir, 'running.json');
const tour = [...readFileSync(join(checkout, 'README.md'), 'utf8').matchAll(/^```sh tour\n(.*?)^```$/gms)].map(([, block]) => block!);
const environment = { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, AMANA_STATE_DIR: stateDir };

interface Sandbox {
  readonly url: string;
  readonly said: string;
  readonly readyAfterMs: number;
  readonly child: ChildProcess;
  readonly exitCode: Promise<number | null>;
}

const started: Sandbox[] = [];
let referralId = '';

/** The program behind `npm start`, once it has said all that a newcomer reads. */
async function start(): Promise<Sandbox> {
  const startedAtMs = Date.now();
  const child = spawn(process.execPath, ['--enable-source-maps', 'infra/local/dist/main.js', '--bus', 'postgres'], { cwd: checkout, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const exitCode = new Promise<number | null>((resolve) => { child.once('close', resolve); });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString('utf8'); });
  await eventually(async () => child.exitCode !== null || said.includes('Ctrl-C stops everything'), { withinMs: readyWithinMs, what: 'the end of what it says when it is ready' });
  const url = /^Amana is running at (http:\S+)$/m.exec(said)?.[1] ?? `nowhere: ${said}`;
  const sandbox = { url, said, readyAfterMs: Date.now() - startedAtMs, child, exitCode };
  started.push(sandbox);
  return sandbox;
}

/** Runs what a newcomer would paste, as one script. */
async function bash(script: string, amana: string): Promise<{ exitCode: number | null; said: string; complaint: string }> {
  const child = spawn('bash', ['-euo', 'pipefail'], { cwd: checkout, env: { ...environment, AMANA: amana } });
  const exitCode = new Promise<number | null>((resolve) => { child.once('close', resolve); });
  child.stdin.end(script);
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exitCode, said, complaint };
}

async function decisionsAbout(referral: string, url: string): Promise<string[]> {
  const { client_id: clientId, privateJwk, tokenUrl } = await readJsonFile(clientKeyPath(stateDir, 'audit-system'), ClientKeyFile);
  const { accessToken } = await tokenForClient({ clientId, privateJwk, tokenUrl });
  const response = await fetch(`${url}/v1/audit/referrals/${referral}`, { headers: { authorization: `Bearer ${accessToken}` } });
  return ((await response.json()) as { entries: { decision: string }[] }).entries.map(({ decision }) => decision);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('The first five minutes', () => {
  afterAll(async () => {
    for (const { child, exitCode } of started) {
      if (child.exitCode === null) child.kill('SIGTERM');
      await exitCode;
    }
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('begin with a network that says where it is, what it is for and what to try next', async () => {
    const { url, said, child } = await start();
    expect(said).toContain('Sandbox mode: fictional data only.');
    expect(said).toContain('Bus: the embedded Postgres bus.');
    expect(said).toContain(`curl -s ${url}/v1/openapi.json`);
    expect(JSON.parse(readFileSync(runningFile, 'utf8'))).toMatchObject({ url, pid: child.pid });
  });

  it('go on with the tour, of which every line does what the page says', async () => {
    expect(tour.length).toBeGreaterThanOrEqual(8);
    const { exitCode, said, complaint } = await bash(`${tour.join('\n')}\nprintf "\\n%s" "$REFERRAL"`, started[0]!.url);
    expect({ exitCode, complaint }).toEqual({ exitCode: 0, complaint: '' });
    for (const code of ['unauthenticated', 'validation-failed', 'consent-invalid', 'not-found']) expect(said).toContain(`"code": "${code}"`);
    expect(said).toMatch(/"pointer": "\/kind"/);
    expect(said).toContain('"decision": "deny"');
    referralId = said.slice(said.lastIndexOf('\n') + 1);
  });

  it('end with Ctrl-C, after which nothing runs any more', async () => {
    const { child, exitCode, url } = started[0]!;
    const { pid } = JSON.parse(readFileSync(join(stateDir, 'postgres.pid'), 'utf8')) as { pid: number };
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGINT');
    expect(await exitCode).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(runningFile)).toBe(false);
    await expect(fetch(`${url}/v1/openapi.json`)).rejects.toThrow();
  });

  it('are found again at the next start, which is quicker', async () => {
    const again = await start();
    expect(await decisionsAbout(referralId, again.url)).toContain('deny');
    expect(again.said).not.toContain('Creating the database files');
    expect(again.readyAfterMs).toBeLessThan(started[0]!.readyAfterMs);
  });
});
