import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, eventually, OneService } from '@amana/testing';
import { clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { startIssuer } from '../../../infra/local/src/issuer.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { HealthService } from './health.module.ts';

const clients = new URL('../../../infra/local/network/clients.json', import.meta.url);
const house = new OneService(HealthService, { startPostgres, startIssuer, clientKeyPath, TokenSource, clients });
const { call, post, publish, after } = house;
const [clinic, sender] = [house.system('clinic-system').organisationId, house.system('souss-system').organisationId];
const list = `/v1/health/${clinic}/medical-referrals`;

beforeAll(() => house.start(), 90_000);
afterAll(() => house.stop());

const parties = (referralId: string) => ({ referralId, fromOrg: sender, toOrg: clinic });
const listed = async (referralId: string) => ((await call('clinic-system', 'GET', `${list}?limit=100`)).body.items as Record<string, unknown>[]).find((item) => item.referralId === referralId);

async function submitted(consentRef: string = randomUUID()): Promise<string> {
  const referralId = randomUUID();
  await publish('referral.submitted.v1', {
    ...parties(referralId), toServiceId: randomUUID(), serviceKind: 'health', urgency: 'urgent', ackBy: after(8), decideBy: after(24), serveBy: after(72), expiresAt: after(36), consentRef,
    dependantsCount: 0, occurredAt: after(0), deliveryMode: 'system',
  }, referralId);
  await eventually(() => listed(referralId), { what: 'the referral' });
  return referralId;
}

async function accepted(consentRef: string = randomUUID()): Promise<string> {
  const referralId = await submitted(consentRef);
  await publish('referral.accepted.v1', { ...parties(referralId), consentRef, serviceKind: 'health', urgency: 'urgent', serveBy: after(72) }, referralId);
  await eventually(async () => (await call('clinic-system', 'GET', `${list}/${referralId}`)).status === 200, { what: 'the case' });
  return referralId;
}

const booking = { startsAt: '2030-05-06T09:30:00.000Z', interpreterLanguage: 'dyu', clinicianSex: 'female', accompaniment: true };
const outcome = { outcomeCode: 'prescribed', outcome: 'delivered', nextStep: 'follow_up' };
const book = (referralId: string, client = 'clinic-system') => post(client, `${list}/${referralId}/appointments`, { body: booking });
const record = (referralId: string, booked: Answer, attended: boolean) => post('clinic-system', `${list}/${referralId}/appointments/${String(booked.body.appointmentId)}/attendance`, { body: { attended }, ifMatch: booked.etag });
const published = (stream: string) => house.rows<{ type: string; data: Record<string, unknown> }>('SELECT type, data FROM event WHERE stream = $1 AND topic IS NOT NULL ORDER BY version', [stream]);

describe('a medical referral over HTTP', () => {
  it('is not there for anybody but the clinic that was asked', async () => {
    const referralId = await accepted();
    expect((await call('psychosocial-system', 'GET', `${list}/${referralId}`)).status).toBe(404);
    expect((await call('psychosocial-system', 'GET', `/v1/health/36e5f0de-d1a7-4827-bc0b-a1175fb5dcd5/medical-referrals/${referralId}`)).status).toBe(404);
    expect((await call('psychosocial-system', 'GET', list)).status).toBe(404);
    expect((await book(referralId, 'psychosocial-system')).status).toBe(404);
    expect((await call('souss-system', 'GET', `${list}/${referralId}`)).status).toBe(404);
    expect((await call('shelter-a-system', 'GET', `${list}/${referralId}`)).status).toBe(404);
    expect((await call('clinic-system', 'GET', `${list}/${randomUUID()}`)).status).toBe(404);
  });

  it('is listed as asked, and read only when the yes has arrived', async () => {
    const referralId = await submitted();
    expect(await listed(referralId)).toMatchObject({ status: 'asked', fromOrg: sender, urgency: 'urgent' });
    const early = await call('clinic-system', 'GET', `${list}/${referralId}`);
    expect([early.status, early.code, early.retryAfter]).toEqual([409, 'acceptance-not-yet-seen', '1']);
    expect((await book(referralId)).code).toBe('acceptance-not-yet-seen');
    expect((await call('psychosocial-system', 'GET', `${list}/${referralId}`)).status).toBe(404);
  });

  it('says where to read what she consented to', async () => {
    const referralId = await accepted();
    const disclosure = `/v1/intake/${sender}/disclosures/${referralId}`;
    expect((await call('clinic-system', 'GET', `${list}/${referralId}`)).body).toMatchObject({ status: 'open', links: { profile: `${disclosure}/profile`, disclosure } });
  });

  it('is booked, missed, booked again, attended and completed; what returns is attended and done', async () => {
    const referralId = await accepted();
    const impossible = await post('clinic-system', `${list}/${referralId}/appointments`, { body: { ...booking, startsAt: '0000-01-01T00:00:00.000Z' } });
    expect(impossible.body.errors).toEqual([{ pointer: '/startsAt', code: 'out-of-range' }]);
    const missed = await record(referralId, await book(referralId), false);
    expect(missed.body).toMatchObject({ status: 'missed', attempt: 1 });
    const attended = await record(referralId, await book(referralId), true);
    expect(attended.body).toMatchObject({ status: 'attended', attempt: 2 });
    expect((await post('clinic-system', `${list}/${referralId}/outcome`, { body: outcome })).code).toBe('precondition-required');
    expect((await post('clinic-system', `${list}/${referralId}/outcome`, { body: outcome, ifMatch: attended.etag })).body.status).toBe('completed');
    const events = await published(referralId);
    expect(events.map((event) => event.type)).toEqual(['health.appointment-booked.v1', 'health.appointment-missed.v1', 'health.appointment-booked.v1', 'health.appointment-attended.v1', 'health.consultation-completed.v1']);
    expect(events.at(-1)!.data).toEqual({ referralId, organisationId: clinic, attended: true, outcome: 'delivered' });
    const view = (await call('clinic-system', 'GET', `${list}/${referralId}`)).body;
    expect(view.consultation).toEqual(outcome);
    expect(view.appointments).toMatchObject([{ attempt: 1, state: 'missed' }, { attempt: 2, state: 'attended', interpreterLanguage: 'dyu', clinicianSex: 'female', accompaniment: true, startsAt: booking.startsAt }]);
  });

  it('is listed page by page, each item once, by the address that each page names', async () => {
    await Promise.all([accepted(), accepted(), accepted()]);
    const seen: string[] = [];
    for (let page: string | undefined = `${list}?limit=2&status=open`; page !== undefined && seen.length < 50;) {
      const { body, nextPage }: Answer = await call('clinic-system', 'GET', page);
      seen.push(...(body.items as { referralId: string; status: string }[]).map((item) => `${item.referralId} ${item.status}`));
      expect(nextPage).toBe(body.next && `${list}?limit=2&status=open&after=${String(body.next)}`);
      page = nextPage;
    }
    expect(new Set(seen.map((item) => item.split(' ')[1]))).toEqual(new Set(['open']));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(2);
    expect((await call('clinic-system', 'GET', `${list}?after=bm90LWEtY3Vyc29y`)).body.errors).toEqual([{ pointer: '/after', code: 'not-a-cursor' }]);
  });

  it('is booked by one of two that try at the same moment', async () => {
    const referralId = await accepted();
    const answers = await Promise.all([book(referralId), book(referralId)]);
    expect(answers.map((answer) => answer.code || String(answer.status)).toSorted()).toEqual(['201', 'illegal-transition']);
  });

  it('keeps outcome and needs in no event, table or audit entry', async () => {
    expect(await house.tablesWith('prescribed', 'dyu', 'female')).toEqual([]);
  });

  it('ends when her consent does; what became of the data is attested, and what was sealed is gone', async () => {
    const consentRef = randomUUID();
    const referralId = await accepted(consentRef);
    const booked = await book(referralId);
    await publish('intake.consent-withdrawn.v1', { consentRef, version: 2, effectiveAt: after(0), service: 'stop', releaseHoldAt: after(24), disposeNotBefore: after(72) }, consentRef);
    await publish('referral.withdrawn.v1', { ...parties(referralId), releaseHoldAt: after(24) }, referralId);
    await eventually(async () => (await listed(referralId))?.status === 'ended', { what: 'the end of the case' });
    expect((await record(referralId, await call('clinic-system', 'GET', `${list}/${referralId}`).then((answer) => ({ ...booked, etag: answer.etag })), true)).code).toBe('illegal-transition');
    const disposal = `/v1/health/${clinic}/disposals/${consentRef}`;
    await eventually(async () => (await published(consentRef)).length === 1, { what: 'the acknowledgement' });
    const attest = (client: string) => post(client, disposal, { body: { disposition: 'deleted' } });
    expect((await attest('psychosocial-system')).status).toBe(404);
    expect((await attest('clinic-system')).code).toBe('illegal-transition');
    house.passHours(73);
    expect((await attest('clinic-system')).body).toMatchObject({ state: 'attested', disposition: 'deleted' });
    const view = (await call('clinic-system', 'GET', `${list}/${referralId}`)).body;
    expect(view.endReason).toBe('withdrawn');
    expect(view.appointments).toEqual([{ appointmentId: booked.body.appointmentId, attempt: 1, state: 'booked', startsAt: booking.startsAt, accompaniment: true }]);
  });
});
