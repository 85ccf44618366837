import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, IntakeDesk, OneService, plantedWord } from '@amana/testing';
import { clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { startIssuer } from '../../../infra/local/src/issuer.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { IntakeService } from './intake.module.ts';

const clients = new URL('../../../infra/local/network/clients.json', import.meta.url);
const house = new OneService(IntakeService, { startPostgres, startIssuer, clientKeyPath, TokenSource, clients });
const { call, post, publish } = house;
const desk = new IntakeDesk(house);
const { casa, souss, clinic, clinicService, shelter, inDays, referred } = desk;

beforeAll(async () => {
  await house.start();
  await desk.open();
}, 90_000);
afterAll(() => house.stop());

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
    const { disclosure, referralId, tell, consentRef } = await referred('submitted');
    const profile = await call('clinic-system', 'GET', `${disclosure}/profile`);
    expect(profile.body).toEqual({ sex: 'female', ageBand: '18-24', languages: ['dyu', 'fr'], interpreterLanguage: 'dyu', dependantsCount: 1, accessibility: ['step-free'], urgency: 'urgent', serviceId: clinicService });
    const early = await call('clinic-system', 'GET', disclosure);
    expect([early.status, early.code, early.retryAfter]).toEqual([409, 'acceptance-not-yet-seen', '2']);
    await tell('referral.accepted.v1', { consentRef, serviceKind: 'health', urgency: 'urgent', serveBy: inDays(3) });
    const read = await eventually(async () => { const answer = await call('clinic-system', 'GET', disclosure); return answer.status === 200 && answer; }, { what: 'the acceptance' });
    expect(read.body.data).toEqual({ identity: { givenName: plantedWord, familyName: plantedWord }, 'health-general': { text: `${plantedWord} health` } });
    expect((await house.leavesOf(referralId)).map((leaf) => [leaf.action, leaf.decision, leaf.consent])).toEqual([
      ['disclosure.profile', 'permit', { ref: consentRef, version: 1 }], ['disclosure.read', 'permit', { ref: consentRef, version: 1 }],
    ]);
  });

  it('ends at once when she withdraws, waits for no version, and the list names who has not answered', async () => {
    const { disclosure, path, consentRef } = await referred('accepted');
    expect((await call('clinic-system', 'GET', disclosure)).status).toBe(200);
    const body = { service: 'stop', recordedHow: 'in_person', alone: false, scope: 'whole' };
    expect((await post('casa-system', `${path}/consents/${consentRef}/withdrawal`, { body })).code).toBe('not-found');
    const withdrawn = await post('souss-system', `${path}/consents/${consentRef}/withdrawal`, { body });
    expect([withdrawn.status, withdrawn.body.status]).toEqual([201, 'withdrawn']);
    const hours = (to: unknown) => (Date.parse(String(to)) - Date.parse(String(withdrawn.body.effectiveAt))) / 3_600_000;
    expect([hours(withdrawn.body.releaseHoldAt), hours(withdrawn.body.disposeNotBefore)]).toEqual([24, 72]);
    for (const end of ['', '/profile']) expect((await call('clinic-system', 'GET', `${disclosure}${end}`)).code).toBe('consent-withdrawn');
    expect((await post('souss-system', `${path}/consents/${consentRef}/withdrawal`, { body })).code).toBe('consent-withdrawn');
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
    const withdrawal = post('souss-system', `${path}/consents/${consentRef}/withdrawal`, { body: word }).then(() => { withdrawnAtMs = performance.now(); });
    const [answers] = await Promise.all([Promise.all(reads), withdrawal]);
    expect(answers.filter(({ sentAtMs, status }) => sentAtMs > withdrawnAtMs && status !== 410)).toEqual([]);
    const permits = (await house.leavesOf(referralId)).filter((leaf) => leaf.decision === 'permit');
    expect(permits).toHaveLength(answers.filter(({ status }) => status === 200).length);
    expect((await call('clinic-system', 'GET', disclosure)).status).toBe(410);
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
    const facts = () => house.rows<{ key: string; data: { countingId: string; dimensions: object }; meta: object }>('SELECT key, data, meta FROM event WHERE type = \'intake.counted.v1\'');
    expect(await facts()).toEqual([]);
    house.passHours(40 * 24);
    const sent = await eventually(async () => { const rows = await facts(); return rows.length > 0 && rows; }, { what: 'the batch' });
    const counted = await house.rows('SELECT 1 FROM case_count');
    expect(sent).toHaveLength(counted.length * 3);
    expect(new Set(sent.map((fact) => fact.key)).size).toBe(sent.length);
    expect(sent.every((fact) => fact.key === fact.data.countingId && Object.keys(fact.data.dimensions).length === 2 && Object.keys(fact.meta).length === 0)).toBe(true);
    expect(JSON.stringify(sent)).not.toContain(caseId);
  });

  it('let no case id and no planted word onto the bus', async () => {
    expect(await desk.leaked()).toEqual([]);
  });
});
