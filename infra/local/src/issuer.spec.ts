import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { ClientKeyFile, clientKeyPath, STAFF_CLIENT_ID, STAFF_REDIRECT_URI, tokenForClient, tokenForStaff, TokenSource } from './credentials.ts';
import { type RunningIssuer, startIssuer } from './issuer.ts';
import { keepSandboxCredentials, makePrivateJwk, publicHalf, type SandboxCredentials } from './issuer-state.ts';
import { API_RESOURCE, readAccounts, readClients } from './network-accounts.ts';

const network = (name: string): string => join(import.meta.dirname, '..', 'network', name);
let stateDir: string;
let issuer: RunningIssuer;
let credentials: SandboxCredentials;
let clinic: ClientKeyFile;
let souss: ClientKeyFile;
const options = async () => ({ port: 0, stateDir, accounts: await readAccounts(network('accounts.json')), clients: await readClients(network('clients.json')) });
const keyFile = async (clientId: string): Promise<ClientKeyFile> => ClientKeyFile.parse(JSON.parse(await readFile(clientKeyPath(stateDir, clientId), 'utf8')));

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'amana-issuer-'));
  issuer = await startIssuer(await options());
  credentials = await keepSandboxCredentials(stateDir);
  [clinic, souss] = await Promise.all([keyFile('clinic-system'), keyFile('souss-system')]);
});

afterAll(async () => {
  await issuer.stop();
  await rm(stateDir, { recursive: true });
});

interface Shape { alg?: string; key?: ClientKeyFile['privateJwk']; claims?: JWTPayload; lifetime?: string }

/** A signed assertion of the clinic's system, right in all points but the given ones. */
async function assertion({ alg, key = clinic.privateJwk, claims = {}, lifetime = '60s' }: Shape = {}): Promise<string> {
  return new SignJWT({ iss: clinic.client_id, sub: clinic.client_id, aud: issuer.tokenUrl, jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: alg ?? key.alg, kid: key.kid }).setIssuedAt().setExpirationTime(lifetime).sign(await importJWK(key));
}

async function present(clientAssertion: string, more: Record<string, string> = {}): Promise<{ status: number; body: Record<string, string> }> {
  const form = { grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: clientAssertion, ...more };
  const response = await fetch(issuer.tokenUrl, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: await response.json() as Record<string, string> };
}

function unsigned(header: object, sign: (input: string) => string = () => ''): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: clinic.client_id, sub: clinic.client_id, aud: issuer.tokenUrl, jti: randomUUID(), iat: now, exp: now + 60 };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${sign(input)}`;
}

const refused = { status: 401, body: expect.objectContaining({ error: 'invalid_client' }) };
const verify = (token: string) => jwtVerify(token, createRemoteJWKSet(new URL(issuer.jwksUrl)), { issuer: issuer.url, audience: API_RESOURCE, typ: 'at+jwt', algorithms: ['ES256'] });

describe('a partner system', () => {
  it('is refused with a key that is not its own', async () => {
    expect(await present(await assertion({ key: await makePrivateJwk('EdDSA') }))).toEqual(refused);
    expect(await present(await assertion({ key: souss.privateJwk }))).toEqual(refused);
  });

  it('is refused when the client is unknown', async () => {
    expect(await present(await assertion({ claims: { iss: 'nobody-system', sub: 'nobody-system' } }))).toEqual(refused);
  });

  it('is refused with an assertion that is unsigned, or signed with HMAC over the public key', async () => {
    const hmac = (input: string): string => createHmac('sha256', JSON.stringify(publicHalf(clinic.privateJwk))).update(input).digest('base64url');
    expect(await present(unsigned({ alg: 'none' }))).toEqual(refused);
    expect(await present(unsigned({ alg: 'HS256', kid: clinic.privateJwk.kid }, hmac))).toEqual(refused);
  });

  it('is refused when it presents an assertion twice, one after the other or at the same instant', async () => {
    const once = await assertion();
    expect((await present(once)).status).toBe(200);
    expect(await present(once)).toEqual(refused);
    const raced = await assertion();
    const answers = await Promise.all(Array.from({ length: 12 }, () => present(raced)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(11).fill(401)]);
  });

  it('is refused with an assertion for another audience, without jti, expired, or living over 300 s', async () => {
    expect(await present(await assertion({ claims: { aud: 'https://elsewhere.invalid/token' } }))).toEqual(refused);
    expect(await present(await assertion({ claims: { jti: undefined } }))).toEqual(refused);
    expect(await present(await assertion({ lifetime: '-1m' }))).toEqual(refused);
    expect(await present(await assertion({ lifetime: '10m' }))).toEqual(refused);
  });

  it('is refused a scope it is not registered for, and a resource that is not the API', async () => {
    expect(await present(await assertion(), { scope: 'audit:read' })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    expect(await present(await assertion(), { resource: 'urn:other:api' })).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  it('is refused the grants of others, and staff may not come without a sign-in', async () => {
    expect(await present(await assertion(), { grant_type: 'authorization_code', code: 'x', redirect_uri: STAFF_REDIRECT_URI })).toMatchObject({ status: 400 });
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: STAFF_CLIENT_ID, scope: 'care:read' });
    expect((await fetch(issuer.tokenUrl, { method: 'POST', body: form })).status).toBe(400);
  });

  it('gets a token of 300 s that names its organisation, roles and scope, and verifies through the published keys', async () => {
    for (const file of [clinic, souss]) {
      const issued = await tokenForClient({ tokenUrl: file.tokenUrl, clientId: file.client_id, privateJwk: file.privateJwk, scope: 'care:read care:write' });
      const { payload, protectedHeader } = await verify(issued.accessToken);
      expect(protectedHeader.alg).toBe('ES256');
      expect(payload).toMatchObject({ org: file.organisationId, scope: 'care:read care:write', client_id: file.client_id, aud: API_RESOURCE, iss: issuer.url });
      expect(payload.sub).toMatch(/^[0-9a-f-]{36}$/);
      expect(payload.exp! - payload.iat!).toBe(300);
      expect(payload.acr).toBeUndefined();
    }
    expect(decodeJwt((await tokenForClient({ tokenUrl: clinic.tokenUrl, clientId: clinic.client_id, privateJwk: clinic.privateJwk })).accessToken)).toMatchObject({
      roles: ['focal-point', 'clinician'], scope: 'care:read care:write',
    });
  });
});

describe('a member of staff', () => {
  const signIn = (more: Partial<Parameters<typeof tokenForStaff>[0]> = {}) =>
    tokenForStaff({ issuerUrl: issuer.url, username: 'souss-worker', password: credentials.sandboxPassword, scope: 'care:read care:write', ...more });

  it('is refused with a wrong password, a name that does not exist, and after five tries even with the right one', async () => {
    await expect(signIn({ username: 'no-such-worker' })).rejects.toMatchObject({ code: 'access_denied', status: 401 });
    for (let tries = 0; tries < 5; tries += 1) await expect(signIn({ username: 'casa-worker', password: 'wrong' })).rejects.toMatchObject({ status: 401 });
    await expect(signIn({ username: 'casa-worker' })).rejects.toMatchObject({ code: 'slow_down', status: 429 });
  });

  it('is refused a step-up without the step-up code', async () => {
    await expect(signIn({ username: 'souss-supervisor', stepUpCode: '00000000x' })).rejects.toMatchObject({ status: 401 });
  });

  it('is refused a code flow without PKCE, with plain PKCE, or to another address', async () => {
    const start = (params: Record<string, string>) => fetch(`${issuer.url}/auth?${new URLSearchParams({ client_id: STAFF_CLIENT_ID, response_type: 'code', scope: 'care:read', redirect_uri: STAFF_REDIRECT_URI, ...params })}`, { redirect: 'manual' });
    expect((await start({})).headers.get('location')).toContain('error=invalid_request');
    expect((await start({ code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' })).headers.get('location')).toContain('error=invalid_request');
    expect((await start({ redirect_uri: 'https://elsewhere.invalid/cb', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' })).status).toBe(400);
  });

  it('gets a token with org, roles, acr and auth_time, cut to what the roles reach', async () => {
    const issued = await signIn({ scope: 'care:read audit:read operate:write' });
    const { payload } = await verify(issued.accessToken);
    const account = (await readAccounts(network('accounts.json'))).find(({ username }) => username === 'souss-worker')!;
    expect(payload).toMatchObject({ sub: account.accountId, org: account.organisationId, roles: ['case-worker'], scope: 'care:read', client_id: STAFF_CLIENT_ID, acr: 'password' });
    expect(Math.abs(Number(payload.auth_time) - Date.now() / 1000)).toBeLessThan(10);
    expect(issued.scope).toBe('care:read');
    expect(JSON.stringify(payload)).not.toContain(account.displayName);
  });

  it('gets acr step-up with the step-up code', async () => {
    const { payload } = await verify((await signIn({ stepUpCode: credentials.stepUpCode })).accessToken);
    expect(payload.acr).toBe('step-up');
  });

  it('sees a form that says this is a sandbox, and that no other page may frame', async () => {
    const start = await fetch(`${issuer.url}/auth?${new URLSearchParams({ client_id: STAFF_CLIENT_ID, response_type: 'code', scope: 'care:read', redirect_uri: STAFF_REDIRECT_URI, code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' })}`, { redirect: 'manual' });
    const cookie = start.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    const form = await fetch(new URL(start.headers.get('location')!, issuer.url), { headers: { cookie } });
    expect(form.headers.get('amana-mode')).toBe('sandbox');
    expect(form.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(await form.text()).toContain('name="password"');
    expect((await fetch(new URL(start.headers.get('location')!, issuer.url))).status).toBe(400);
  });
});

describe('a token source', () => {
  it('asks once for callers that come together, again once 30 s are left, and does not keep a refusal', async () => {
    let asked = 0;
    const lifetimesMs = [300_000, 29_000, 300_000];
    const source = new TokenSource(async () => {
      asked += 1;
      if (asked === 1) throw new Error('down');
      return { accessToken: `token-${asked}`, expiresAtMs: Date.now() + lifetimesMs[asked - 1]!, scope: '' };
    });
    await expect(source.token()).rejects.toThrow('down');
    expect(await Promise.all([source.token(), source.token(), source.token()])).toEqual(['token-2', 'token-2', 'token-2']);
    expect(await source.token()).toBe('token-3');
    expect(await source.token()).toBe('token-3');
    expect(asked).toBe(3);
  });
});

describe('a second start', () => {
  it('finds its keys and passwords again, moves the token URL in the key files, and keeps all of them private', async () => {
    const token = (await tokenForClient({ tokenUrl: souss.tokenUrl, clientId: souss.client_id, privateJwk: souss.privateJwk })).accessToken;
    const again = await startIssuer(await options());
    try {
      expect(again.url).not.toBe(issuer.url);
      await jwtVerify(token, createRemoteJWKSet(new URL(again.jwksUrl)), { audience: API_RESOURCE });
      const moved = await keyFile('souss-system');
      expect(moved).toEqual({ ...souss, tokenUrl: again.tokenUrl });
      expect(await keepSandboxCredentials(stateDir)).toEqual(credentials);
    } finally {
      await again.stop();
    }
    for (const name of ['issuer-keys.json', 'credentials.json', 'clients/souss-system.json']) {
      expect((await stat(join(stateDir, name))).mode & 0o777).toBe(0o600);
    }
    const published = await (await fetch(issuer.jwksUrl)).json() as { keys: Record<string, unknown>[] };
    expect(published.keys.flatMap((key) => Object.keys(key))).not.toContain('d');
  });
});
