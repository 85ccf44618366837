import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { readEnvironment } from './entry-point.ts';

const fromSource = ['--conditions=@amana/source', '--no-warnings'];
const readyWithinMs = 10_000;
let stateDir: string;
let issuer: ChildProcess;
let issuerUrl: string;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'amana-token-'));
  issuer = spawn(process.execPath, [...fromSource, join(import.meta.dirname, 'issuer-main.ts')], {
    env: { PATH: process.env.PATH, AMANA_MODE: 'sandbox', AMANA_PORT: '0', AMANA_STATE_DIR: stateDir }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(issuer.stdout!, 'data', { signal: AbortSignal.timeout(readyWithinMs) }) as [Buffer];
  issuerUrl = /^serving (\S+)/.exec(line.toString())![1]!;
}, 15_000);

afterAll(async () => {
  if (issuer.exitCode === null) {
    issuer.kill('SIGKILL');
    await once(issuer, 'exit');
  }
  await rm(stateDir, { recursive: true });
});

async function token(...args: string[]): Promise<{ out: string; err: string; code: number }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...fromSource, join(import.meta.dirname, 'token.ts'), ...args], { env: { PATH: process.env.PATH, AMANA_STATE_DIR: stateDir } });
    return { out: stdout, err: stderr, code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
    return { out: stdout, err: stderr, code };
  }
}

describe('asking for a token on the command line', () => {
  it('names the partner systems there are when it is given an unknown one, or a path', async () => {
    for (const stranger of ['pharmacy-system', '../issuer-keys']) {
      const { out, err, code } = await token(stranger);
      expect({ out, code }).toEqual({ out: '', code: 1 });
      expect(err).toContain(`No partner system is called "${stranger}"`);
      expect(err).toContain('clinic-system');
    }
  });

  it('says how it is used when it is given nothing', async () => {
    expect((await token()).err).toContain('token.js <client_id> [scope]');
  });

  it('gives no scope beyond what the partner system is registered for', async () => {
    expect((await token('clinic-system', 'audit:read')).err).toContain('invalid_scope');
  });

  it('prints one token that the running issuer made, with all the client\'s scopes or those asked for', async () => {
    const whole = decodeJwt((await token('clinic-system')).out.trim());
    expect(whole).toMatchObject({ iss: issuerUrl, client_id: 'clinic-system', scope: 'care:read care:write' });
    expect(decodeJwt((await token('clinic-system', 'care:read')).out.trim())).toMatchObject({ scope: 'care:read' });
  });

  it('says that nobody answers once the issuer has ended, which it does in order on SIGTERM', async () => {
    issuer.kill('SIGTERM');
    expect(await once(issuer, 'exit')).toEqual([0, null]);
    expect((await token('clinic-system')).err).toContain('is the network running?');
  });
});

describe('the programs beside the services', () => {
  it('name each variable that is missing or wrong, and print no value', () => {
    const told = (): unknown => readEnvironment('router', { AMANA_MODE: 'production', AMANA_PORT: 'planted', AMANA_ISSUER: 'http://planted/', AMANA_UPSTREAMS: 'http://planted:1' });
    expect(told).toThrow(/AMANA_MODE: Only sandbox.*AMANA_PORT.*AMANA_ISSUER.*AMANA_UPSTREAMS/s);
    expect(told).not.toThrow(/planted/);
  });

  it('derive no database password from a secret that could be tried out', () => {
    expect(() => readEnvironment('migrate', { AMANA_ADMIN_DATABASE_URL: 'postgres://a@b/c', AMANA_ROLE_SECRET: 'short' })).toThrow(/AMANA_ROLE_SECRET/);
  });
});
