import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishedEvents } from '@amana/contracts';
import { append, Database, inTransaction, type ServiceUrls } from '@amana/persistence';
import { readLeaf } from '@amana/privacy';
import { type RunningService, startService } from '@amana/service';
import { eventually, type ThrowawayServer, throwawayDatabase, throwawayServer } from '@amana/testing';
import { decodeJwt } from 'jose';
import { ClientKeyFile, clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { type RunningIssuer, startIssuer } from '../../../infra/local/src/issuer.ts';
import { readJsonFile } from '../../../infra/local/src/json-file.ts';
import { readAccounts, readClients } from '../../../infra/local/src/network-accounts.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { IntakeService } from './intake.module.ts';

const network = join(import.meta.dirname, '../../../infra/local/network');
const [casa, souss] = ['bd113c23-c8f5-4fb7-bb09-797bf2376d53', '4dad89d7-869e-466d-b732-3e60761de948'];
const [clinic, shelter] = ['77f26e51-b398-4206-8088-26e3b781a8e4', '5b28698b-7c30-43d0-9d3d-db1972f09534'];
const [clinicService, shelterService, suspended] = [randomUUID(), randomUUID(), randomUUID()];
const ceiling = ['identity', 'contact', 'demographics', 'risk-safety', 'health-general'];
const planted = 'Zelvorine-canary';

let server: ThrowawayServer;
let others: ServiceUrls;
let issuer: RunningIssuer;
let service: RunningService;
let stateDir: string;
const tokens = new Map<string, TokenSource>();

interface Answer { status: number; code: string; etag: string; body: Record<string, unknown>; retryAfter: string | null }

async function call(client: string, method: string, path: string, options: { body?: unknown; key?: string; ifMatch?: string } = {}): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, {
    method, ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    headers: {
      authorization: `Bearer ${await tokens.get(client)!.token()}`, 'content-type': 'application/json',
      ...(options.key ? { 'idempotency-key': options.key } : {}), ...(options.ifMatch ? { 'if-match': options.ifMatch } : {}),
    },
  });
  const body = await response.json() as Record<string, unknown>;
  return { status: response.status, code: String(body.code ?? ''), etag: response.headers.get('etag') ?? '', body, retryAfter: response.headers.get('retry-after') };
}

const post = (client: string, path: string, body: unknown = {}, ifMatch?: string, key: string = randomUUID()) => call(client, 'POST', path, { body, key, ...(ifMatch ? { ifMatch } : {}) });

/** Publishes an event of another service as that would: from its own database. */
async function publish(type: string, data: object, stream: string = randomUUID(), version = 1): Promise<void> {
  const database = new Database(others);
  await inTransaction(database.app, [], (tx) => tx.write(append([{ stream, version, definition: publishedEvents.get(type)!, key: stream, data }], {}, new Date()).statement));
  await database.close();
}

const now = () => new Date().toISOString();
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const firstContact = (changes: object = {}) => ({ at: now(), channel: 'walk_in', aloneAndSafeToTalk: true, immediateDanger: false, confidentialityLimitsExplainedAt: inDays(-1), interpreterLanguage: 'dyu', declinesServices: false, ...changes });
const person = (changes: object = {}) => ({
  identity: { givenName: planted, familyName: planted }, contact: { phone: `+212 ${planted}` }, sex: 'female', ageBand: '18-24', birthYear: 2000, nationality: 'CIV', languages: ['dyu', 'fr'], capacityToConsent: 'yes', ...changes,
});
const opening = (changes: object = {}) => ({ firstContact: firstContact(), person: person(), region: 'MA-09', dependantsCount: 1, accessibility: ['step-free'], narrative: `${planted} narrative`, ...changes });
const cases = (org = souss) => `/v1/intake/${org}/cases`;
const conversation = (changes: object = {}) => ({ at: now(), language: 'dyu', interpreterLanguage: 'dyu', method: 'oral', witnessed: true, alone: true, ...changes });
const toClinic = (changes: object = {}) => ({ organisationId: clinic, serviceId: clinicService, categories: ['identity', 'health-general'], purpose: 'service', ...changes });

/** Each step of a case, sent with the ETag of the step before. */
async function steps(client: string, path: string, etag: string, ...acts: readonly [string, object][]): Promise<string> {
  let last = etag;
  for (const [name, body] of acts) {
    const answer = await post(client, `${path}/${name}`, body, last);
    expect([name, answer.status, answer.code]).toEqual([name, 200, '']);
    last = answer.etag;
  }
  return last;
}

async function readyCase(client = 'souss-system', org = souss): Promise<{ path: string; caseId: string; etag: string }> {
  const opened = await post(client, cases(org), opening());
  expect([opened.status, opened.code, opened.body.errors]).toEqual([201, '', undefined]);
  const caseId = String(opened.body.caseId);
  const path = `${cases(org)}/${caseId}`;
  const etag = await steps(client, path, opened.etag,
    ['screening', { outcome: 'presumed', indicatorCodes: ['FalsePromises', 'DomesticWork'], reportingConsent: true }],
    ['safe-contact', { channel: 'phone', voicemail: false, phoneShared: true, codeName: planted, reviewOn: inDays(20).slice(0, 10) }],
    ['notes', { category: 'health-general', text: `${planted} health` }]);
  return { path, caseId, etag };
}

type Given = { consentRef: string; receipt: string }[];

/** A case with a consent, and a referral on it that has reached this status. */
async function referred(status: 'submitted' | 'accepted', recipient: object = toClinic()): Promise<{ path: string; caseId: string; referralId: string; consentRef: string; disclosure: string; stream: (type: string, data?: object) => Promise<void> }> {
  const { path, caseId, etag } = await readyCase();
  const answer = await post('souss-system', `${path}/consents`, { conversation: conversation(), recipients: [recipient], decision: 'given' }, etag);
  expect([answer.status, answer.code, answer.body.errors]).toEqual([201, '', undefined]);
  const [{ consentRef }] = answer.body.consents as [Given[number]];
  const referralId = randomUUID();
  const { organisationId: toOrg, serviceId: toServiceId } = recipient as { organisationId: string; serviceId: string };
  const parties = { referralId, fromOrg: souss, toOrg };
  let version = 0;
  const stream = (type: string, data: object = {}) => publish(type, { ...parties, ...data }, referralId, version += 1);
  const disclosure = `/v1/intake/${souss}/disclosures/${referralId}`;
  const clocks = { ackBy: inDays(1), decideBy: inDays(2), serveBy: inDays(3), expiresAt: inDays(3) };
  await stream('referral.submitted.v1', { toServiceId, serviceKind: 'health', urgency: 'urgent', consentRef, dependantsCount: 1, occurredAt: now(), deliveryMode: 'system', ...clocks });
  if (status === 'accepted') await stream('referral.accepted.v1', { consentRef, serviceKind: 'health', urgency: 'urgent', serveBy: clocks.serveBy });
  await eventually(async () => (await service.database.app.query('SELECT 1 FROM referral_link WHERE referral_id = $1 AND status = $2', [referralId, status])).rowCount === 1, { what: 'the referral' });
  return { path, caseId, referralId, consentRef, disclosure, stream };
}

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'amana-intake-'));
  server = await throwawayServer((dir) => startPostgres({ stateDir: dir, durable: false }));
  const urls = await throwawayDatabase(server.adminUrl, 'intake', IntakeService.migrations);
  others = await throwawayDatabase(server.adminUrl, 'referral');
  issuer = await startIssuer({ port: 0, stateDir, accounts: await readAccounts(join(network, 'accounts.json')), clients: await readClients(join(network, 'clients.json')) });
  service = await startService(IntakeService, {
    mode: 'sandbox', service: 'intake', appUrl: urls.appUrl, relayUrl: urls.relayUrl, bus: 'postgres',
    busUrls: { intake: urls.busUrl, referral: others.busUrl, shelter: others.busUrl, health: others.busUrl },
    issuer: issuer.url, jwksUrl: issuer.jwksUrl, keyringFile: join(stateDir, 'keys/intake.json'), logLevel: 'silent',
  });
  for (const client of ['souss-system', 'casa-system', 'clinic-system', 'shelter-a-system']) {
    const key = await readJsonFile(clientKeyPath(stateDir, client), ClientKeyFile);
    tokens.set(client, TokenSource.forClient({ tokenUrl: key.tokenUrl, clientId: client, privateJwk: key.privateJwk }));
  }
  for (const organisationId of [souss, clinic, shelter, suspended]) await publish('referral.organisation-listed.v1', { organisationId, name: 'Invented', status: organisationId === suspended ? 'suspended' : 'active', protocolVersion: '1', ceiling });
  for (const [serviceId, organisationId] of [[clinicService, clinic], [shelterService, shelter]] as const) {
    await publish('referral.service-listed.v1', { serviceId, organisationId, kind: 'health', name: 'Invented', status: 'active', sexes: [], families: true, languages: [], regions: [] });
  }
  await eventually(async () => (await service.database.app.query('SELECT (SELECT count(*) FROM organisation) + (SELECT count(*) FROM service) AS n')).rows[0].n === '6', { what: 'the directory' });
}, 90_000);

afterAll(async () => {
  await service?.stop();
  await issuer?.stop();
  await server?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('a first contact', () => {
  it('is refused where it may not be held or where the rules for her do not exist yet, and leaves nothing', async () => {
    const before = await service.database.app.query('SELECT count(*) AS n FROM case_board');
    for (const [changes, code] of [
      [{ firstContact: firstContact({ aloneAndSafeToTalk: false }) }, 'not-safe-to-talk'], [{ person: person({ ageBand: '15-17' }) }, 'minor-not-supported'], [{ person: person({ birthYear: 2020 }) }, 'minor-not-supported'],
      [{ person: person({ ageBand: 'unknown' }) }, 'age-unknown-not-supported'], [{ person: person({ capacityToConsent: 'unsure' }) }, 'capacity-not-supported'],
      [{ firstContact: firstContact({ confidentialityLimitsExplainedAt: undefined }) }, 'confidentiality-not-explained'], [{ person: undefined }, 'validation-failed'], [{ more: 1 }, 'validation-failed'],
    ] as const) {
      const answer = await post('souss-system', cases(), opening(changes));
      expect([answer.status, answer.code]).toEqual([422, code]);
    }
    expect((await post('casa-system', cases(), opening())).code).toBe('not-found');
    expect((await service.database.app.query('SELECT count(*) AS n FROM case_board')).rows).toEqual(before.rows);
  });

  it('may end with no service wanted, and then nothing about her is kept', async () => {
    const answer = await post('souss-system', cases(), opening({ firstContact: firstContact({ declinesServices: true }) }));
    expect([answer.status, answer.body.status]).toEqual([201, 'declined-services']);
    expect((await service.database.app.query('SELECT 1 FROM sealed WHERE case_id = $1', [answer.body.caseId])).rowCount).toBe(0);
  });

  it('seals her identity and shows it to its owner alone, with the look on record', async () => {
    const { path, caseId } = await readyCase();
    expect((await call('casa-system', 'GET', path)).code).toBe('not-found');
    expect((await call('casa-system', 'GET', `${cases(casa)}/${caseId}`)).code).toBe('not-found');
    const { body } = await call('souss-system', 'GET', path);
    expect(body).toMatchObject({ status: 'active', person: { identity: { givenName: planted }, dependantsCount: 1, demographics: { nationality: 'CIV', interpreterLanguage: 'dyu' } }, safeContact: { codeName: planted }, screening: { outcome: 'presumed', reportingConsent: true } });
    expect(body.notes).toContainEqual({ category: 'health-general', text: `${planted} health` });
    const { body: list } = await call('souss-system', 'GET', `${cases()}?limit=1`);
    expect(list.items).toHaveLength(1);
    expect(JSON.stringify(list)).not.toContain(planted);
    expect((await call('souss-system', 'GET', `${cases()}?after=${String(list.next)}`)).status).toBe(200);
    const { rows } = await service.database.app.query<{ row: string }>('SELECT event::text AS row FROM event');
    expect(rows.filter(({ row }) => row.includes(planted))).toEqual([]);
  });
});

describe('an import', () => {
  it('makes drafts, once each, and names the rows it cannot take; a draft cannot be shared before somebody spoke with her', async () => {
    const row = (externalId: string, changes: object = {}) => ({ source: 'file', externalId, person: { ...person(changes), capacityToConsent: undefined }, region: 'MA-06' });
    const path = `/v1/intake/${souss}/case-imports`;
    const body = { rows: [row('a'), row('b', { ageBand: '0-14' }), row('a'), row('c', { ageBand: 'unknown' })] };
    const [first, again] = [await post('souss-system', path, body, undefined, 'import-once'), await post('souss-system', path, body, undefined, 'import-once')];
    expect(again.body).toEqual(first.body);
    const [{ caseId }] = first.body.created as [{ caseId: string }];
    expect(first.body).toEqual({
      created: [{ externalId: 'a', caseId }], unchanged: [{ externalId: 'a', caseId }],
      refused: [{ externalId: 'b', code: 'minor-not-supported' }, { externalId: 'c', code: 'age-unknown-not-supported' }],
    });
    expect((await post('souss-system', path, body)).body).toMatchObject({ created: [] });
    const draft = await call('souss-system', 'GET', `${cases()}/${caseId}`);
    expect(draft.body.status).toBe('imported-draft');
    const consent = { conversation: conversation(), recipients: [toClinic()], decision: 'given' };
    expect((await post('souss-system', `${cases()}/${caseId}/consents`, consent, draft.etag)).code).toBe('consent-not-recorded');
    await steps('souss-system', `${cases()}/${caseId}`, draft.etag, ['first-contact', { firstContact: firstContact(), capacityToConsent: 'yes' }], ['needs', { needs: ['health'] }]);
    expect((await call('souss-system', 'GET', `${cases()}/${caseId}`)).body).toMatchObject({ status: 'active', person: { demographics: { interpreterLanguage: 'dyu' } } });
  });
});

describe('a consent', () => {
  it('is refused for whoever may not receive it, and a refusal of hers is recorded', async () => {
    const { path, etag } = await readyCase();
    const flagged = await post('souss-system', `${path}/conflicts`, { organisationId: shelter }, etag);
    for (const [recipient, code] of [
      [{ organisationId: shelter }, 'conflict-known'], [{ organisationId: randomUUID() }, 'service-unknown'], [{ serviceId: shelterService }, 'service-unknown'], [{ organisationId: suspended, serviceId: undefined }, 'recipient-suspended'],
      [{ categories: ['identity', 'hiv'] }, 'category-over-ceiling'], [{ until: inDays(400) }, 'validation-failed'],
    ] as const) {
      expect([code, (await post('souss-system', `${path}/consents`, { conversation: conversation(), recipients: [toClinic(recipient)], decision: 'given' }, flagged.etag)).code]).toEqual([code, code]);
    }
    const refused = await post('souss-system', `${path}/consents`, { conversation: conversation(), recipients: [toClinic()], decision: 'refused' }, flagged.etag);
    expect([refused.status, refused.body.consents]).toEqual([201, []]);
  });

  it('gives the same references and receipts to the same key, and receipts that say nothing of the case', async () => {
    const { path, caseId, etag } = await readyCase();
    const body = { conversation: conversation(), recipients: [toClinic(), toClinic({ organisationId: shelter, serviceId: shelterService, categories: ['identity'] })], decision: 'given' };
    const [first, again] = [await post('souss-system', `${path}/consents`, body, etag, 'same'), await post('souss-system', `${path}/consents`, body, etag, 'same')];
    expect([first.status, again.body]).toEqual([201, first.body]);
    const given = first.body.consents as Given;
    expect(given).toHaveLength(2);
    expect(decodeJwt(given[0]!.receipt)).toMatchObject({ jti: given[0]!.consentRef, iss: souss, recipient: clinic, categories: ['identity', 'health-general'], purpose: 'service', lang: 'dyu' });
    expect(JSON.stringify(decodeJwt(given[0]!.receipt))).not.toContain(caseId);
    expect((await call('souss-system', 'GET', `${path}/consents`)).body.items).toMatchObject(given.map(({ consentRef, receipt }) => ({ consentRef, receipt, status: 'given', holder: { holds: false, missing: [] } })));
  });
});

describe('a disclosure', () => {
  it('is hidden alike before the referral has arrived, from a stranger and from the sender itself', async () => {
    const { disclosure } = await referred('accepted');
    for (const [client, path] of [['clinic-system', `/v1/intake/${souss}/disclosures/${randomUUID()}`], ['shelter-a-system', disclosure], ['souss-system', disclosure], ['clinic-system', disclosure.replace(souss, casa)]] as const) {
      for (const end of ['', '/profile']) {
        const answer = await call(client, 'GET', `${path}${end}`);
        expect([answer.status, answer.code, answer.retryAfter]).toEqual([404, 'not-found', '2']);
      }
    }
  });

  it('shows bands before acceptance, then exactly what she consented to, each look on record before it', async () => {
    const { disclosure, referralId, stream, consentRef } = await referred('submitted');
    const profile = await call('clinic-system', 'GET', `${disclosure}/profile`);
    expect(profile.body).toEqual({ sex: 'female', ageBand: '18-24', languages: ['dyu', 'fr'], interpreterLanguage: 'dyu', dependantsCount: 1, accessibility: ['step-free'], urgency: 'urgent', serviceId: clinicService });
    const early = await call('clinic-system', 'GET', disclosure);
    expect([early.status, early.code, early.retryAfter]).toEqual([409, 'acceptance-not-yet-seen', '2']);
    await stream('referral.accepted.v1', { consentRef, serviceKind: 'health', urgency: 'urgent', serveBy: inDays(3) });
    const read = await eventually(async () => { const answer = await call('clinic-system', 'GET', disclosure); return answer.status === 200 && answer; }, { what: 'the acceptance' });
    expect(read.body.data).toEqual({ identity: { givenName: planted, familyName: planted }, 'health-general': { text: `${planted} health` } });
    const { rows } = await service.database.app.query<{ leaf: string }>('SELECT data->>\'leaf\' AS leaf FROM event WHERE key = $1 AND topic = \'intake.audit.v1\' ORDER BY position', [referralId]);
    expect(rows.map((row) => readLeaf(Buffer.from(row.leaf, 'base64url'))).map((leaf) => [leaf.action, leaf.decision, leaf.consent])).toEqual([
      ['disclosure.profile', 'permit', { ref: consentRef, version: 1 }], ['disclosure.read', 'permit', { ref: consentRef, version: 1 }],
    ]);
  });

  it('ends at once when she withdraws, waits for no version, and the list names who has not answered', async () => {
    const { disclosure, path, consentRef } = await referred('accepted');
    expect((await call('clinic-system', 'GET', disclosure)).status).toBe(200);
    const body = { service: 'stop', recordedHow: 'in_person', alone: false, scope: 'whole' };
    expect((await post('casa-system', `${path}/consents/${consentRef}/withdrawal`, body)).code).toBe('not-found');
    const withdrawn = await post('souss-system', `${path}/consents/${consentRef}/withdrawal`, body);
    expect([withdrawn.status, withdrawn.body.status]).toEqual([201, 'withdrawn']);
    const hours = (to: unknown) => (Date.parse(String(to)) - Date.parse(String(withdrawn.body.effectiveAt))) / 3_600_000;
    expect([hours(withdrawn.body.releaseHoldAt), hours(withdrawn.body.disposeNotBefore)]).toEqual([24, 72]);
    for (const end of ['', '/profile']) expect((await call('clinic-system', 'GET', `${disclosure}${end}`)).code).toBe('consent-withdrawn');
    expect((await post('souss-system', `${path}/consents/${consentRef}/withdrawal`, body)).code).toBe('consent-withdrawn');
    const holder = async () => ((await call('souss-system', 'GET', `${path}/consents`)).body.items as { holder: { missing: string[] } }[])[0]!.holder;
    expect((await holder()).missing).toEqual(['acknowledgement', 'attestation']);
    await publish('health.consent-withdrawal-acknowledged.v1', { consentRef, organisationId: clinic });
    await publish('health.data-disposal-attested.v1', { consentRef, organisationId: clinic, disposition: 'deleted' });
    await eventually(async () => (await holder()).missing.length === 0, { what: 'the holder\'s answer' });
  });
});

describe('a withdrawal in the midst of reads', () => {
  it('is followed by no disclosure, and each one before it is on record', async () => {
    const { disclosure, path, consentRef, referralId } = await referred('accepted');
    let withdrawnAtMs = Infinity;
    const word = { service: 'stop', recordedHow: 'phone', alone: true, scope: 'whole' };
    const reads = Array.from({ length: 40 }, async (_, index) => {
      await new Promise((resolve) => { setTimeout(resolve, index * 4); });
      const sentAtMs = performance.now();
      return { sentAtMs, status: (await call('clinic-system', 'GET', disclosure)).status };
    });
    const withdrawal = post('souss-system', `${path}/consents/${consentRef}/withdrawal`, word).then(() => { withdrawnAtMs = performance.now(); });
    const [answers] = await Promise.all([Promise.all(reads), withdrawal]);
    expect(answers.filter(({ sentAtMs, status }) => sentAtMs > withdrawnAtMs && status !== 410)).toEqual([]);
    const { rows } = await service.database.app.query<{ leaf: string }>('SELECT data->>\'leaf\' AS leaf FROM event WHERE key = $1 AND topic = \'intake.audit.v1\'', [referralId]);
    const permits = rows.filter((row) => readLeaf(Buffer.from(row.leaf, 'base64url')).decision === 'permit');
    expect(permits).toHaveLength(answers.filter(({ status }) => status === 200).length);
    expect((await call('clinic-system', 'GET', disclosure)).status).toBe(410);
  });
});

describe('a transfer', () => {
  it('leaves exactly one owner, a stub at the old one, and a case with an id of its own at the new one', async () => {
    const { path, caseId, etag } = await readyCase('casa-system', casa);
    const consent = { conversation: conversation(), recipients: [{ organisationId: souss, categories: ['identity', 'demographics'], purpose: 'transfer' }], decision: 'given' };
    const given = await post('casa-system', `${path}/consents`, consent, etag);
    const [{ consentRef }] = given.body.consents as [Given[number]];
    expect((await post('souss-system', `${path}/transfers`, { toOrg: souss, consentRef })).code).toBe('not-found');
    expect((await post('casa-system', `${path}/transfers`, { toOrg: clinic, consentRef })).code).toBe('consent-missing');
    const offered = await post('casa-system', `${path}/transfers`, { toOrg: souss, consentRef });
    expect([offered.status, offered.body.status]).toEqual([201, 'offered']);
    expect((await post('casa-system', `${path}/transfers`, { toOrg: souss, consentRef })).code).toBe('illegal-transition');
    const transfer = `/v1/intake/${casa}/transfers/${String(offered.body.transferId)}`;
    const file = `/v1/intake/${casa}/disclosures/${String(offered.body.transferId)}`;
    expect((await call('souss-system', 'GET', file)).code).toBe('acceptance-not-yet-seen');
    const seen = await call('souss-system', 'GET', transfer);
    expect(JSON.stringify(seen.body)).not.toContain(caseId);
    expect((await post('casa-system', `${transfer}/acceptance`, {}, seen.etag)).code).toBe('not-found');
    expect((await post('souss-system', `${transfer}/acceptance`, {}, seen.etag)).body.status).toBe('accepted');
    expect((await call('casa-system', 'GET', path)).body).toMatchObject({ status: 'transferred-out', person: {}, notes: [] });
    const { body } = await call('souss-system', 'GET', file);
    expect(body).toMatchObject({ data: { identity: { givenName: planted }, demographics: { ageBand: '18-24' } }, alreadyCounted: ['identified'] });
    expect(Object.keys(body.data as object)).toEqual(['identity', 'demographics']);
    const mine = await eventually(async () => {
      const { body: list } = await call('souss-system', 'GET', `/v1/intake/${souss}/incoming-transfers`);
      return (list.items as { transferId: string; caseId?: string }[]).find((item) => item.transferId === offered.body.transferId)?.caseId;
    }, { what: 'the new case' });
    expect(mine).not.toBe(caseId);
    const empty = await call('souss-system', 'GET', `${cases()}/${mine}`);
    expect(empty.body).toMatchObject({ status: 'transferred-in', person: {} });
    const taken = await post('souss-system', `${cases()}/${mine}/file`, { person: person({ capacityToConsent: undefined }), region: 'MA-09', alreadyCounted: ['identified'] }, empty.etag);
    expect(taken.body.status).toBe('active');
  });
});

describe('figures', () => {
  it('count each person once, from what came back, and leave after the month\'s end as facts that nothing joins', async () => {
    const figures = async () => (await call('souss-system', 'GET', `/v1/intake/${souss}/figures`)).body as { identified: number; sheltered: number; consulted: number };
    const before = await figures();
    const { referralId, caseId } = await referred('accepted');
    const completed = { referralId, organisationId: clinic, attended: true, outcome: 'delivered' };
    await publish('health.consultation-completed.v1', { ...completed, organisationId: shelter });
    await publish('health.consultation-completed.v1', { ...completed, attended: false });
    for (let twice = 0; twice < 2; twice += 1) await publish('health.consultation-completed.v1', completed);
    await eventually(async () => (await figures()).consulted === before.consulted + 1, { what: 'the count' });
    expect(await figures()).toEqual({ ...before, identified: before.identified + 1, consulted: before.consulted + 1 });
    expect((await call('casa-system', 'GET', `/v1/intake/${souss}/figures`)).code).toBe('not-found');
    const facts = () => service.database.app.query<{ key: string; data: { countingId: string; dimensions: object }; meta: object }>('SELECT key, data, meta FROM event WHERE type = \'intake.counted.v1\'');
    expect((await facts()).rowCount).toBe(0);
    service.clock.moveTo(40 * 86_400_000);
    service.due.poke();
    const sent = await eventually(async () => { const { rows } = await facts(); return rows.length > 0 && rows; }, { what: 'the batch' });
    const total = (await service.database.app.query('SELECT count(*)::int AS n FROM case_count')).rows[0].n as number;
    expect(sent).toHaveLength(total * 3);
    expect(new Set(sent.map((fact) => fact.key)).size).toBe(sent.length);
    expect(sent.every((fact) => fact.key === fact.data.countingId && Object.keys(fact.data.dimensions).length === 2 && Object.keys(fact.meta).length === 0)).toBe(true);
    expect(JSON.stringify(sent)).not.toContain(caseId);
  });

  it('let no case id and no planted word onto the bus', async () => {
    const published = await service.database.app.query<{ row: string }>('SELECT key || data::text || meta::text AS row FROM published_event');
    const { rows } = await service.database.app.query<{ case_id: string }>('SELECT case_id FROM case_board');
    const text = published.rows.map(({ row }) => row).join('\n');
    expect(rows.filter(({ case_id: caseId }) => text.includes(caseId))).toEqual([]);
    expect(text).not.toContain(planted);
  });
});
