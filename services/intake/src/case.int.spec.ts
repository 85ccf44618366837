import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, IntakeDesk, OneService, plantedWord } from '@amana/testing';
import { decodeJwt } from 'jose';
import { clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { startIssuer } from '../../../infra/local/src/issuer.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { IntakeService } from './intake.module.ts';

const clients = new URL('../../../infra/local/network/clients.json', import.meta.url);
const house = new OneService(IntakeService, { startPostgres, startIssuer, clientKeyPath, TokenSource, clients });
const { call, post } = house;
const desk = new IntakeDesk(house);
const { casa, souss, clinic, shelter, shelterService, suspended, inDays, cases, firstContact, person, opening, consent, toClinic, steps, readyCase } = desk;

beforeAll(async () => {
  await house.start();
  await desk.open();
}, 90_000);
afterAll(() => house.stop());

describe('a first contact', () => {
  it('is refused where it may not be held or where the rules for her do not exist yet, and leaves nothing', async () => {
    const before = await house.rows('SELECT count(*) AS n FROM case_board');
    for (const [changes, code] of [
      [{ firstContact: firstContact({ aloneAndSafeToTalk: false }) }, 'not-safe-to-talk'], [{ person: person({ ageBand: '15-17' }) }, 'minor-not-supported'], [{ person: person({ birthYear: 2020 }) }, 'minor-not-supported'],
      [{ person: person({ ageBand: 'unknown' }) }, 'age-unknown-not-supported'], [{ person: person({ capacityToConsent: 'unsure' }) }, 'capacity-not-supported'],
      [{ firstContact: firstContact({ confidentialityLimitsExplainedAt: undefined }) }, 'confidentiality-not-explained'], [{ person: undefined }, 'validation-failed'], [{ more: 1 }, 'validation-failed'],
    ] as const) {
      const answer = await post('souss-system', cases(), { body: opening(changes) });
      expect([answer.status, answer.code]).toEqual([422, code]);
    }
    expect((await post('casa-system', cases(), { body: opening() })).code).toBe('not-found');
    expect(await house.rows('SELECT count(*) AS n FROM case_board')).toEqual(before);
  });

  it('may end with no service wanted, and then nothing about her is kept', async () => {
    const answer = await post('souss-system', cases(), { body: opening({ firstContact: firstContact({ declinesServices: true }) }) });
    expect([answer.status, answer.body.status]).toEqual([201, 'declined-services']);
    expect(await house.rows('SELECT 1 FROM sealed WHERE case_id = $1', [answer.body.caseId])).toEqual([]);
  });

  it('seals her identity and shows it to its owner alone, with the look on record', async () => {
    const { path, caseId } = await readyCase();
    expect((await call('casa-system', 'GET', path)).code).toBe('not-found');
    expect((await call('casa-system', 'GET', `${cases(casa)}/${caseId}`)).code).toBe('not-found');
    const { body } = await call('souss-system', 'GET', path);
    expect(body).toMatchObject({ status: 'active', person: { identity: { givenName: plantedWord }, dependantsCount: 1, demographics: { nationality: 'CIV', interpreterLanguage: 'dyu' } }, safeContact: { codeName: plantedWord }, screening: { outcome: 'presumed', reportingConsent: true } });
    expect(body.notes).toContainEqual({ category: 'health-general', text: `${plantedWord} health` });
    const { body: list } = await call('souss-system', 'GET', `${cases()}?limit=1`);
    expect(list.items).toHaveLength(1);
    expect(JSON.stringify(list)).not.toContain(plantedWord);
    expect((await call('souss-system', 'GET', `${cases()}?after=${String(list.next)}`)).status).toBe(200);
    expect(await house.tablesWith(plantedWord)).toEqual([]);
  });
});

describe('an import', () => {
  it('makes drafts, once each, and names the rows it cannot take; a draft cannot be shared before somebody spoke with her', async () => {
    const row = (externalId: string, changes: object = {}) => ({ source: 'file', externalId, person: { ...person(changes), capacityToConsent: undefined }, region: 'MA-06' });
    const path = `/v1/intake/${souss}/case-imports`;
    const body = { rows: [row('a'), row('b', { ageBand: '0-14' }), row('a'), row('c', { ageBand: 'unknown' })] };
    const [first, again] = [await post('souss-system', path, { body, key: 'import-once' }), await post('souss-system', path, { body, key: 'import-once' })];
    expect(again.body).toEqual(first.body);
    const [{ caseId }] = first.body.created as [{ caseId: string }];
    expect(first.body).toEqual({
      created: [{ externalId: 'a', caseId }], unchanged: [{ externalId: 'a', caseId }],
      refused: [{ externalId: 'b', code: 'minor-not-supported' }, { externalId: 'c', code: 'age-unknown-not-supported' }],
    });
    expect((await post('souss-system', path, { body })).body).toMatchObject({ created: [] });
    const draft = await call('souss-system', 'GET', `${cases()}/${caseId}`);
    expect(draft.body.status).toBe('imported-draft');
    expect((await post('souss-system', `${cases()}/${caseId}/consents`, { body: consent(), ifMatch: draft.etag })).code).toBe('consent-not-recorded');
    await steps('souss-system', { path: `${cases()}/${caseId}`, etag: draft.etag }, [['first-contact', { firstContact: firstContact(), capacityToConsent: 'yes' }], ['needs', { needs: ['health'] }]]);
    expect((await call('souss-system', 'GET', `${cases()}/${caseId}`)).body).toMatchObject({ status: 'active', person: { demographics: { interpreterLanguage: 'dyu' } } });
  });
});

describe('a consent', () => {
  it('is refused for whoever may not receive it, and a refusal of hers is recorded', async () => {
    const { path, etag } = await readyCase();
    const flagged = await post('souss-system', `${path}/conflicts`, { body: { organisationId: shelter }, ifMatch: etag });
    for (const [recipient, code] of [
      [{ organisationId: shelter }, 'conflict-known'], [{ organisationId: randomUUID() }, 'service-unknown'], [{ serviceId: shelterService }, 'service-unknown'], [{ organisationId: suspended, serviceId: undefined }, 'recipient-suspended'],
      [{ categories: ['identity', 'hiv'] }, 'category-over-ceiling'], [{ until: inDays(400) }, 'validation-failed'],
    ] as const) {
      expect([code, (await post('souss-system', `${path}/consents`, { body: consent([toClinic(recipient)]), ifMatch: flagged.etag })).code]).toEqual([code, code]);
    }
    const refused = await post('souss-system', `${path}/consents`, { body: consent([toClinic()], 'refused'), ifMatch: flagged.etag });
    expect([refused.status, refused.body.consents]).toEqual([201, []]);
  });

  it('gives the same references and receipts to the same key, and receipts that say nothing of the case', async () => {
    const { path, caseId, etag } = await readyCase();
    const same = { body: consent([toClinic(), toClinic({ organisationId: shelter, serviceId: shelterService, categories: ['identity'] })]), ifMatch: etag, key: 'same' };
    const [first, again] = [await post('souss-system', `${path}/consents`, same), await post('souss-system', `${path}/consents`, same)];
    expect([first.status, again.body]).toEqual([201, first.body]);
    const given = first.body.consents as { consentRef: string; receipt: string }[];
    expect(given).toHaveLength(2);
    expect(decodeJwt(given[0]!.receipt)).toMatchObject({ jti: given[0]!.consentRef, iss: souss, recipient: clinic, categories: ['identity', 'health-general'], purpose: 'service', lang: 'dyu' });
    expect(JSON.stringify(decodeJwt(given[0]!.receipt))).not.toContain(caseId);
    expect((await call('souss-system', 'GET', `${path}/consents`)).body.items).toMatchObject(given.map(({ consentRef, receipt }) => ({ consentRef, receipt, status: 'given', holder: { holds: false, missing: [] } })));
  });
});

describe('a transfer', () => {
  it('leaves exactly one owner, a stub at the old one, and a case with an id of its own at the new one', async () => {
    const { path, caseId, etag } = await readyCase('casa-system');
    const forTransfer = consent([{ organisationId: souss, categories: ['identity', 'demographics'], purpose: 'transfer' }]);
    const given = await post('casa-system', `${path}/consents`, { body: forTransfer, ifMatch: etag });
    const [{ consentRef }] = given.body.consents as [{ consentRef: string }];
    expect((await post('souss-system', `${path}/transfers`, { body: { toOrg: souss, consentRef } })).code).toBe('not-found');
    expect((await post('casa-system', `${path}/transfers`, { body: { toOrg: clinic, consentRef } })).code).toBe('consent-missing');
    const offered = await post('casa-system', `${path}/transfers`, { body: { toOrg: souss, consentRef } });
    expect([offered.status, offered.body.status]).toEqual([201, 'offered']);
    expect((await post('casa-system', `${path}/transfers`, { body: { toOrg: souss, consentRef } })).code).toBe('illegal-transition');
    const transfer = `/v1/intake/${casa}/transfers/${String(offered.body.transferId)}`;
    const file = `/v1/intake/${casa}/disclosures/${String(offered.body.transferId)}`;
    expect((await call('souss-system', 'GET', file)).code).toBe('acceptance-not-yet-seen');
    const seen = await call('souss-system', 'GET', transfer);
    expect(JSON.stringify(seen.body)).not.toContain(caseId);
    expect((await post('casa-system', `${transfer}/acceptance`, { ifMatch: seen.etag })).code).toBe('not-found');
    expect((await post('souss-system', `${transfer}/acceptance`, { ifMatch: seen.etag })).body.status).toBe('accepted');
    expect((await call('casa-system', 'GET', path)).body).toMatchObject({ status: 'transferred-out', person: {}, notes: [] });
    const { body } = await call('souss-system', 'GET', file);
    expect(body).toMatchObject({ data: { identity: { givenName: plantedWord }, demographics: { ageBand: '18-24' } }, alreadyCounted: ['identified'] });
    expect(Object.keys(body.data as object)).toEqual(['identity', 'demographics']);
    const mine = await eventually(async () => {
      const { body: list } = await call('souss-system', 'GET', `/v1/intake/${souss}/incoming-transfers`);
      return (list.items as { transferId: string; caseId?: string }[]).find((item) => item.transferId === offered.body.transferId)?.caseId;
    }, { what: 'the new case' });
    expect(mine).not.toBe(caseId);
    const empty = await call('souss-system', 'GET', `${cases()}/${mine}`);
    expect(empty.body).toMatchObject({ status: 'transferred-in', person: {} });
    const taken = await post('souss-system', `${cases()}/${mine}/file`, { body: { person: person({ capacityToConsent: undefined }), region: 'MA-09', alreadyCounted: ['identified'] }, ifMatch: empty.etag });
    expect(taken.body.status).toBe('active');
  });
});

describe('the bus', () => {
  it('hears no case id and no planted word', async () => {
    expect(await desk.leaked()).toEqual([]);
  });
});
