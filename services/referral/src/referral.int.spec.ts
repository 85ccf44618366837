import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishedEvents } from '@amana/contracts';
import { append, Database, inTransaction, type ServiceUrls } from '@amana/persistence';
import { readLeaf, receiptKeyFromJwk, signReceipt } from '@amana/privacy';
import { type RunningService, startService } from '@amana/service';
import { eventually, type ThrowawayServer, throwawayDatabase, throwawayServer } from '@amana/testing';
import type { JWK } from 'jose';
import { ClientKeyFile, clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { type RunningIssuer, startIssuer } from '../../../infra/local/src/issuer.ts';
import { readJsonFile } from '../../../infra/local/src/json-file.ts';
import { readAccounts, readClients } from '../../../infra/local/src/network-accounts.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { ReferralService } from './referral.module.ts';

const network = join(import.meta.dirname, '../../../infra/local/network');
const sender = '4dad89d7-869e-466d-b732-3e60761de948';
const clinic = '77f26e51-b398-4206-8088-26e3b781a8e4';
const [clinicService, legalService, legal] = [randomUUID(), randomUUID(), randomUUID()];
const receiptJwk = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'test-key' } as JWK;

let server: ThrowawayServer;
let intake: ServiceUrls;
let issuer: RunningIssuer;
let service: RunningService;
let stateDir: string;
const tokens = new Map<string, TokenSource>();

interface Answer { status: number; code: string; etag: string; body: Record<string, unknown>; retryAfter: string | null }

async function call(client: string, method: string, path: string, options: { body?: unknown; key?: string; ifMatch?: string } = {}): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, {
    method, ...(options.body === undefined ? {} : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
    headers: {
      authorization: `Bearer ${await tokens.get(client)!.token()}`, 'content-type': 'application/json',
      ...(options.key ? { 'idempotency-key': options.key } : {}), ...(options.ifMatch ? { 'if-match': options.ifMatch } : {}),
    },
  });
  const body = await response.json() as Record<string, unknown>;
  expect(response.headers.get('amana-mode')).toBe('sandbox');
  return { status: response.status, code: String(body.code ?? ''), etag: response.headers.get('etag') ?? '', body, retryAfter: response.headers.get('retry-after') };
}

const post = (client: string, path: string, body: unknown = {}, ifMatch?: string, key: string = randomUUID()) => call(client, 'POST', path, { body, key, ...(ifMatch ? { ifMatch } : {}) });

/** Publishes an event of intake as intake would: from its own database. */
async function publishFromIntake(type: string, data: unknown): Promise<void> {
  const database = new Database(intake);
  const stream = randomUUID();
  await inTransaction(database.app, [], (tx) => tx.write(append([{ stream, version: 1, definition: publishedEvents.get(type)!, key: stream, data }], {}, new Date()).statement));
  await database.close();
}

async function receipt(recipient: string, serviceId: string, overrides: Record<string, unknown> = {}): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return await signReceipt({ jti: randomUUID(), ver: 1, iss: sender, recipient, serviceId, categories: ['identity'], purpose: 'service', iat, exp: iat + 86_400, lang: 'fr', ...overrides }, receiptKeyFromJwk(receiptJwk));
}

async function draftToClinic(options: { next?: boolean; consentRef?: string } = {}): Promise<Answer> {
  const jti = options.consentRef ?? randomUUID();
  const recipients = [{ serviceId: clinicService, receipt: await receipt(clinic, clinicService, { jti }) }, ...(options.next ? [{ serviceId: legalService, receipt: await receipt(legal, legalService) }] : [])];
  return await post('souss-system', '/v1/referral/referrals', { recipients, urgency: 'urgent' });
}

async function submitted(options: Parameters<typeof draftToClinic>[0] = {}): Promise<{ path: string; id: string; etag: string }> {
  const draft = await draftToClinic(options);
  const path = `/v1/referral/referrals/${String(draft.body.referralId)}`;
  const answer = await post('souss-system', `${path}/submission`, {}, draft.etag);
  expect(answer.status).toBe(200);
  return { path, id: String(draft.body.referralId), etag: answer.etag };
}

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'amana-referral-'));
  server = await throwawayServer((dir) => startPostgres({ stateDir: dir, durable: false }));
  const urls = await throwawayDatabase(server.adminUrl, 'referral', ReferralService.migrations);
  intake = await throwawayDatabase(server.adminUrl, 'intake');
  issuer = await startIssuer({ port: 0, stateDir, accounts: await readAccounts(join(network, 'accounts.json')), clients: await readClients(join(network, 'clients.json')) });
  service = await startService(ReferralService, {
    mode: 'sandbox', service: 'referral', appUrl: urls.appUrl, relayUrl: urls.relayUrl, bus: 'postgres',
    busUrls: { referral: urls.busUrl, intake: intake.busUrl, shelter: intake.busUrl, health: intake.busUrl },
    issuer: issuer.url, jwksUrl: issuer.jwksUrl, keyringFile: join(stateDir, 'keys/referral.json'), logLevel: 'silent',
  });
  for (const client of ['souss-system', 'casa-system', 'clinic-system', 'coordination-system', 'operator-system']) {
    const key = await readJsonFile(clientKeyPath(stateDir, client), ClientKeyFile);
    tokens.set(client, TokenSource.forClient({ tokenUrl: key.tokenUrl, clientId: client, privateJwk: key.privateJwk }));
  }
  const listed = { status: 'active', sexes: [], families: true, languages: ['fr'], regions: [] };
  await post('coordination-system', '/v1/referral/directory-imports', {
    organisations: [sender, clinic, legal].map((organisationId) => ({ organisationId, name: 'Invented', status: 'active', protocolVersion: '1', ceiling: ['identity'] })),
    services: [{ serviceId: clinicService, organisationId: clinic, kind: 'psychosocial', name: 'A', ...listed }, { serviceId: legalService, organisationId: legal, kind: 'legal', name: 'B', ...listed }],
  });
  const { d: _private, kid, ...key } = receiptJwk as Record<string, string>;
  await publishFromIntake('intake.receipt-key-published.v1', { kid, key: { kty: key.kty, crv: key.crv, x: key.x } });
  await eventually(async () => (await draftToClinic()).status === 201, { what: 'the key of the receipts' });
}, 90_000);

afterAll(async () => {
  await service?.stop();
  await issuer?.stop();
  await server?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('a referral over HTTP', () => {
  it('is hidden alike from a stranger and where it does not exist, whatever else is wrong with the request', async () => {
    const { path } = await submitted();
    const [denied, unknown] = [await call('casa-system', 'GET', path), await call('casa-system', 'GET', `/v1/referral/referrals/${randomUUID()}`)];
    expect([denied.status, unknown.status]).toEqual([404, 404]);
    expect({ ...denied.body, traceId: '' }).toEqual({ ...unknown.body, traceId: '' });
    for (const body of [{}, { nonsense: 1 }, '{broken']) {
      expect((await post('casa-system', `${path}/cancellation`, body, '"99"')).code).toBe('not-found');
    }
    expect((await draftToClinic()).status).toBe(201);
  });

  it('is invisible to its receiver while it is a draft', async () => {
    const draft = await draftToClinic();
    expect((await call('clinic-system', 'GET', `/v1/referral/referrals/${String(draft.body.referralId)}`)).status).toBe(404);
    expect((await post('clinic-system', `/v1/referral/referrals/${String(draft.body.referralId)}/acknowledgement`, {}, draft.etag)).code).toBe('not-found');
  });

  it('is refused without a key, without a version, with a stale version and with a wrong body, in that order, and nothing changes', async () => {
    const { path, etag } = await submitted();
    expect((await call('clinic-system', 'POST', `${path}/decline`, { body: {} })).code).toBe('idempotency-key-missing');
    expect((await post('clinic-system', `${path}/decline`, {})).code).toBe('precondition-required');
    expect((await post('clinic-system', `${path}/decline`, {}, '"1"')).code).toBe('version-stale');
    const wrong = await post('clinic-system', `${path}/decline`, { reasonCode: 'because', more: true }, etag);
    expect(wrong.body.errors).toEqual([{ pointer: '/reasonCode', code: 'invalid-value' }, { pointer: '/more', code: 'unknown-field' }]);
    expect((await call('clinic-system', 'GET', path)).etag).toBe(etag);
  });

  it('takes no receipt of another sender, recipient, service, key or time', async () => {
    const past = Math.floor(Date.now() / 1000) - 1_000;
    const stranger = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
    for (const [overrides, code] of [[{ iss: clinic }, 'consent-invalid'], [{ recipient: legal }, 'consent-invalid'], [{ serviceId: legalService }, 'consent-invalid'], [{ purpose: 'transfer' }, 'consent-invalid'], [{ iat: past, exp: past + 1 }, 'consent-invalid']] as const) {
      const answer = await post('souss-system', '/v1/referral/referrals', { recipients: [{ serviceId: clinicService, receipt: await receipt(clinic, clinicService, overrides) }], urgency: 'urgent' });
      expect([answer.status, answer.code]).toEqual([422, code]);
    }
    const iat = Math.floor(Date.now() / 1000);
    const forged = await signReceipt({ jti: randomUUID(), ver: 1, iss: sender, recipient: clinic, categories: ['identity'], purpose: 'service', iat, exp: iat + 9, lang: 'fr' }, receiptKeyFromJwk(stranger));
    const answer = await post('souss-system', '/v1/referral/referrals', { recipients: [{ serviceId: clinicService, receipt: forged }], urgency: 'urgent' });
    expect([answer.status, answer.code, answer.retryAfter]).toEqual([503, 'consent-key-unknown', '2']);
  });

  it('has one effect for a key that is sent ten times at once, and the same answer each time', async () => {
    const { path, etag } = await submitted();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('clinic-system', `${path}/acceptance`, { responsibleRole: 'clinician' }, etag, 'the-same-key-of-this-test')));
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body, answer.etag])))).toEqual(new Set([JSON.stringify([200, answers[0]!.body, answers[0]!.etag])]));
    expect(answers[0]!.body).toMatchObject({ status: 'accepted' });
    expect((await post('clinic-system', `${path}/acceptance`, { responsibleRole: 'nurse' }, etag, 'the-same-key-of-this-test')).code).toBe('idempotency-key-reused');
  });

  it('is answered by one of two that race with the same version', async () => {
    const { path, etag } = await submitted();
    const answers = await Promise.all([post('clinic-system', `${path}/acceptance`, { responsibleRole: 'clinician' }, etag), post('clinic-system', `${path}/decline`, { reasonCode: 'no_capacity' }, etag)]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 412]);
  });

  it('goes to the next consented recipient at once after a no', async () => {
    const { path, id, etag } = await submitted({ next: true });
    expect((await post('clinic-system', `${path}/decline`, { reasonCode: 'no_capacity' }, etag)).status).toBe(200);
    const next = await eventually(async () => (await call('souss-system', 'GET', path)).body.redirectedTo as string | undefined, { what: 'the redirect' });
    const redirected = await call('souss-system', 'GET', `/v1/referral/referrals/${next}`);
    expect(redirected.body).toMatchObject({ status: 'submitted', toOrg: legal, redirectedFrom: id });
  });

  it('ends when her consent does, and a draft that rests on it cannot be sent any more', async () => {
    const consentRef = randomUUID();
    const [{ path }, draft] = [await submitted({ consentRef }), await draftToClinic({ consentRef })];
    const now = new Date().toISOString();
    await publishFromIntake('intake.consent-withdrawn.v1', { consentRef, version: 2, effectiveAt: now, service: 'stop', releaseHoldAt: now, disposeNotBefore: now });
    await eventually(async () => (await call('souss-system', 'GET', path)).body.status === 'withdrawn', { what: 'the withdrawal' });
    const draftPath = `/v1/referral/referrals/${String(draft.body.referralId)}`;
    await eventually(async () => (await call('souss-system', 'GET', draftPath)).body.status === 'withdrawn', { what: 'the end of the draft' });
    expect((await post('souss-system', `${draftPath}/submission`, {}, (await call('souss-system', 'GET', draftPath)).etag)).code).toBe('illegal-transition');
  });

  it('leaves an audit entry for each act, each look and each denial, keyed by the referral', async () => {
    const { path, id, etag } = await submitted();
    await call('clinic-system', 'GET', path);
    await post('clinic-system', `${path}/acceptance`, { responsibleRole: 'clinician' }, etag);
    await call('casa-system', 'GET', path);
    const { rows } = await service.database.app.query<{ leaf: string }>('SELECT data->>\'leaf\' AS leaf FROM event WHERE key = $1 AND topic = \'referral.audit.v1\' ORDER BY position', [id]);
    const leaves = rows.map((row) => readLeaf(Buffer.from(row.leaf, 'base64url')));
    expect(leaves.map((leaf) => [leaf.action, leaf.decision, leaf.actor.role])).toEqual([
      ['referral.draft', 'permit', 'case-worker'], ['referral.submit', 'permit', 'case-worker'], ['referral.read', 'permit', 'focal-point'], ['referral.accept', 'permit', 'focal-point'], ['referral.read', 'deny', 'case-worker'],
    ]);
  });
});
