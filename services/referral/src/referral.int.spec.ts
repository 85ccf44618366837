import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { receiptKeyFromJwk, signReceipt } from '@amana/privacy';
import { type Answer, eventually, granted, OneService } from '@amana/testing';
import type { JWK } from 'jose';
import { clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { startIssuer } from '../../../infra/local/src/issuer.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { ReferralService } from './referral.module.ts';

const clients = new URL('../../../infra/local/network/clients.json', import.meta.url);
const house = new OneService(ReferralService, { startPostgres, startIssuer, clientKeyPath, TokenSource, clients });
const { call, post, publish } = house;
const [sender, clinic] = [house.system('souss-system').organisationId, house.system('clinic-system').organisationId];
const [clinicService, legalService, legal] = [randomUUID(), randomUUID(), randomUUID()];
const referrals = '/v1/referral/referrals';
const receiptJwk = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'test-key' } as JWK;

async function receipt(recipient: string, serviceId: string, overrides: Record<string, unknown> = {}): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return await signReceipt({ jti: randomUUID(), ver: 1, iss: sender, recipient, serviceId, categories: ['identity'], purpose: 'service', iat, exp: iat + 86_400, lang: 'fr', ...overrides }, receiptKeyFromJwk(receiptJwk));
}

async function draftToClinic(options: { next?: boolean; consentRef?: string } = {}): Promise<Answer> {
  const jti = options.consentRef ?? randomUUID();
  const recipients = [{ serviceId: clinicService, receipt: await receipt(clinic, clinicService, { jti }) }, ...(options.next ? [{ serviceId: legalService, receipt: await receipt(legal, legalService) }] : [])];
  return await post('souss-system', referrals, { body: { recipients, urgency: 'urgent' } });
}

async function submitted(options: Parameters<typeof draftToClinic>[0] = {}): Promise<{ path: string; id: string; etag: string }> {
  const draft = await granted(draftToClinic(options));
  const path = `${referrals}/${String(draft.body.referralId)}`;
  const { etag } = await granted(post('souss-system', `${path}/submission`, { ifMatch: draft.etag }));
  return { path, id: String(draft.body.referralId), etag };
}

beforeAll(async () => {
  await house.start();
  const listed = { status: 'active', sexes: [], families: true, languages: ['fr'], regions: [] };
  await granted(post('coordination-system', '/v1/referral/directory-imports', { body: {
    organisations: [sender, clinic, legal].map((organisationId) => ({ organisationId, name: 'Invented', status: 'active', protocolVersion: '1', ceiling: ['identity'] })),
    services: [{ serviceId: clinicService, organisationId: clinic, kind: 'psychosocial', name: 'A', ...listed }, { serviceId: legalService, organisationId: legal, kind: 'legal', name: 'B', ...listed }],
  } }));
  const { d: _private, kid, ...key } = receiptJwk as Record<string, string>;
  await publish('intake.receipt-key-published.v1', { kid, key: { kty: key.kty, crv: key.crv, x: key.x } });
  await eventually(() => granted(draftToClinic()), { what: 'the key of the receipts' });
}, 90_000);
afterAll(() => house.stop());

describe('a referral over HTTP', () => {
  it('is hidden alike from a stranger and where it does not exist, whatever else is wrong with the request', async () => {
    const { path } = await submitted();
    const [denied, unknown] = [await call('casa-system', 'GET', path), await call('casa-system', 'GET', `${referrals}/${randomUUID()}`)];
    expect([denied.status, unknown.status]).toEqual([404, 404]);
    expect({ ...denied.body, traceId: '' }).toEqual({ ...unknown.body, traceId: '' });
    for (const body of [{}, { nonsense: 1 }, '{broken']) {
      expect((await post('casa-system', `${path}/cancellation`, { body, ifMatch: '"99"' })).code).toBe('not-found');
    }
    expect((await draftToClinic()).status).toBe(201);
  });

  it('is invisible to its receiver while it is a draft', async () => {
    const draft = await draftToClinic();
    expect((await call('clinic-system', 'GET', `${referrals}/${String(draft.body.referralId)}`)).status).toBe(404);
    expect((await post('clinic-system', `${referrals}/${String(draft.body.referralId)}/acknowledgement`, { ifMatch: draft.etag })).code).toBe('not-found');
  });

  it('is refused without a key, without a version, with a stale version and with a wrong body, in that order, and nothing changes', async () => {
    const { path, etag } = await submitted();
    expect((await call('clinic-system', 'POST', `${path}/decline`, { body: {} })).code).toBe('idempotency-key-missing');
    expect((await post('clinic-system', `${path}/decline`)).code).toBe('precondition-required');
    expect((await post('clinic-system', `${path}/decline`, { ifMatch: '"1"' })).code).toBe('version-stale');
    const wrong = await post('clinic-system', `${path}/decline`, { body: { reasonCode: 'because', more: true }, ifMatch: etag });
    expect(wrong.body.errors).toEqual([{ pointer: '/reasonCode', code: 'invalid-value' }, { pointer: '/more', code: 'unknown-field' }]);
    expect((await call('clinic-system', 'GET', path)).etag).toBe(etag);
  });

  it('takes no receipt of another sender, recipient, service, key or time', async () => {
    const past = Math.floor(Date.now() / 1000) - 1_000;
    const stranger = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
    for (const [overrides, code] of [[{ iss: clinic }, 'consent-invalid'], [{ recipient: legal }, 'consent-invalid'], [{ serviceId: legalService }, 'consent-invalid'], [{ purpose: 'transfer' }, 'consent-invalid'], [{ iat: past, exp: past + 1 }, 'consent-invalid']] as const) {
      const answer = await post('souss-system', referrals, { body: { recipients: [{ serviceId: clinicService, receipt: await receipt(clinic, clinicService, overrides) }], urgency: 'urgent' } });
      expect([answer.status, answer.code]).toEqual([422, code]);
    }
    const iat = Math.floor(Date.now() / 1000);
    const forged = await signReceipt({ jti: randomUUID(), ver: 1, iss: sender, recipient: clinic, categories: ['identity'], purpose: 'service', iat, exp: iat + 9, lang: 'fr' }, receiptKeyFromJwk(stranger));
    const answer = await post('souss-system', referrals, { body: { recipients: [{ serviceId: clinicService, receipt: forged }], urgency: 'urgent' } });
    expect([answer.status, answer.code, answer.retryAfter]).toEqual([503, 'consent-key-unknown', '2']);
  });

  it('has one effect for a key that is sent ten times at once, and the same answer each time', async () => {
    const { path, etag } = await submitted();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('clinic-system', `${path}/acceptance`, { body: { responsibleRole: 'clinician' }, ifMatch: etag, key: 'the-same-key-of-this-test' })));
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body, answer.etag])))).toEqual(new Set([JSON.stringify([200, answers[0]!.body, answers[0]!.etag])]));
    expect(answers[0]!.body).toMatchObject({ status: 'accepted' });
    expect((await post('clinic-system', `${path}/acceptance`, { body: { responsibleRole: 'nurse' }, ifMatch: etag, key: 'the-same-key-of-this-test' })).code).toBe('idempotency-key-reused');
  });

  it('is answered by one of two that race with the same version', async () => {
    const { path, etag } = await submitted();
    const answers = await Promise.all([post('clinic-system', `${path}/acceptance`, { body: { responsibleRole: 'clinician' }, ifMatch: etag }), post('clinic-system', `${path}/decline`, { body: { reasonCode: 'no_capacity' }, ifMatch: etag })]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 412]);
  });

  it('goes to the next consented recipient at once after a no', async () => {
    const { path, id, etag } = await submitted({ next: true });
    expect((await post('clinic-system', `${path}/decline`, { body: { reasonCode: 'no_capacity' }, ifMatch: etag })).status).toBe(200);
    const next = await eventually(async () => (await call('souss-system', 'GET', path)).body.redirectedTo as string | undefined, { what: 'the redirect' });
    const redirected = await call('souss-system', 'GET', `${referrals}/${next}`);
    expect(redirected.body).toMatchObject({ status: 'submitted', toOrg: legal, redirectedFrom: id });
  });

  it('ends when her consent does, and a draft that rests on it cannot be sent any more', async () => {
    const consentRef = randomUUID();
    const [{ path }, draft] = [await submitted({ consentRef }), await draftToClinic({ consentRef })];
    const now = new Date().toISOString();
    await publish('intake.consent-withdrawn.v1', { consentRef, version: 2, effectiveAt: now, service: 'stop', releaseHoldAt: now, disposeNotBefore: now });
    await eventually(async () => (await call('souss-system', 'GET', path)).body.status === 'withdrawn', { what: 'the withdrawal' });
    const draftPath = `${referrals}/${String(draft.body.referralId)}`;
    await eventually(async () => (await call('souss-system', 'GET', draftPath)).body.status === 'withdrawn', { what: 'the end of the draft' });
    expect((await post('souss-system', `${draftPath}/submission`, { ifMatch: (await call('souss-system', 'GET', draftPath)).etag })).code).toBe('illegal-transition');
  });

  it('leaves an audit entry for each act, each look and each denial, keyed by the referral', async () => {
    const { path, id, etag } = await submitted();
    await call('clinic-system', 'GET', path);
    await post('clinic-system', `${path}/acceptance`, { body: { responsibleRole: 'clinician' }, ifMatch: etag });
    await call('casa-system', 'GET', path);
    const leaves = await house.leavesOf(id);
    expect(leaves.map((leaf) => [leaf.action, leaf.decision, leaf.actor.role])).toEqual([
      ['referral.draft', 'permit', 'case-worker'], ['referral.submit', 'permit', 'case-worker'], ['referral.read', 'permit', 'focal-point'], ['referral.accept', 'permit', 'focal-point'], ['referral.read', 'deny', 'case-worker'],
    ]);
  });
});
