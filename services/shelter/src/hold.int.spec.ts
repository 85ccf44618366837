import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inTransaction } from '@amana/persistence';
import { eventually, OneService } from '@amana/testing';
import { clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { startIssuer } from '../../../infra/local/src/issuer.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { ShelterService } from './shelter.module.ts';

const clients = new URL('../../../infra/local/network/clients.json', import.meta.url);
const house = new OneService(ShelterService, { startPostgres, startIssuer, clientKeyPath, TokenSource, clients });
const { call, post, publish, after } = house;
const [shelter, otherShelter] = [house.system('shelter-a-system').organisationId, house.system('shelter-b-system').organisationId];
const { organisationId: sender, accountId: senderAccount } = house.system('souss-system');
const address = '14 rue des Éclairs-Inventés, Agadir';
const meetingPoint = 'Pharmacie du rond-point inventé';
const base = `/v1/shelter/${shelter}`;

beforeAll(() => house.start(), 90_000);
afterAll(() => house.stop());

async function submitted(serviceId: string, options: { toOrg?: string; dependantsCount?: number; consentRef?: string } = {}): Promise<string> {
  const referralId = randomUUID();
  const { toOrg = shelter, dependantsCount = 0, consentRef = randomUUID() } = options;
  const [ackBy, decideBy, serveBy, expiresAt] = [after(8), after(24), after(72), after(36)];
  await publish('referral.submitted.v1', {
    referralId, fromOrg: sender, toOrg, toServiceId: serviceId, serviceKind: 'shelter', urgency: 'urgent', ackBy, decideBy, serveBy, expiresAt, consentRef,
    placementClass: 'woman', dependantsCount, occurredAt: after(0), deliveryMode: 'system',
  }, referralId);
  await eventually(async () => ((await call('shelter-a-system', 'GET', `${base}/referrals?limit=100`)).body.items as { referralId: string }[]).some((item) => item.referralId === referralId) || toOrg !== shelter, { what: 'the referral' });
  return referralId;
}

async function siteWith(beds: number): Promise<string> {
  const serviceId = randomUUID();
  await publish('referral.service-listed.v1', { serviceId, organisationId: shelter, kind: 'shelter', name: 'Invented', status: 'active', sexes: ['female'], families: true, languages: ['fr'], regions: [] }, serviceId);
  const body = { serviceId, code: 'H1', address, placementClasses: ['woman'], rooms: [{ code: 'R1', beds: Array.from({ length: beds }, (_, n) => ({ code: `B${n}` })) }] };
  await eventually(async () => (await post('shelter-a-system', `${base}/sites`, { body })).status === 201, { what: 'the service in the directory' });
  return serviceId;
}

const holdFor = (referralId: string, more: object = {}, client = 'shelter-a-system') => post(client, `${base}/holds`, { body: { referralId, placementClass: 'woman', responsibleRole: 'focal-point', ...more } });
const inState = (path: string, state: string) => eventually(async () => { const answer = await call('shelter-a-system', 'GET', path); return answer.body.state === state && answer; }, { what: `a hold that is ${state}` });
const accepted = (referralId: string, holdId: string, consentRef: string = randomUUID()) =>
  publish('referral.accepted.v1', { referralId, fromOrg: sender, toOrg: shelter, holdId, consentRef, serviceKind: 'shelter', urgency: 'urgent', serveBy: after(72) }, referralId);
const told = async (type: string, key: string) => (await house.rows<{ data: Record<string, unknown> }>('SELECT data FROM event WHERE type = $1 AND key = $2 ORDER BY position', [type, key])).map((row) => row.data);

describe('a bed', () => {
  it('is not held for another\'s referral or an unknown one, and the two look the same', async () => {
    const serviceId = await siteWith(1);
    const own = await submitted(serviceId);
    const [foreign, unknown] = [await holdFor(await submitted(serviceId, { toOrg: otherShelter })), await holdFor(randomUUID())];
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    expect({ ...foreign.body, traceId: '' }).toEqual({ ...unknown.body, traceId: '' });
    expect((await holdFor(own, {}, 'shelter-b-system')).status).toBe(404);
    expect((await holdFor(own, {}, 'clinic-system')).status).toBe(403);
  });

  it('goes to as many takers as there are beds, however many ask at once, and to no two of them', async () => {
    const serviceId = await siteWith(7);
    const referrals = await Promise.all(Array.from({ length: 12 }, () => submitted(serviceId)));
    const answers = await Promise.all(referrals.map((referralId) => holdFor(referralId)));
    expect(answers.map((answer) => answer.code || String(answer.status)).toSorted()).toEqual([...Array<string>(7).fill('201'), ...Array<string>(5).fill('no-free-bed')]);
    const rows = await house.rows<{ bed_id: string }>('SELECT h.bed_id FROM bed_hold h JOIN bed USING (bed_id) WHERE service_id = $1', [serviceId]);
    expect(new Set(rows.map((row) => row.bed_id)).size).toBe(7);
    expect(rows).toHaveLength(7);
  });

  it('cannot be in two live holds even by a writer that does not look first: the database refuses', async () => {
    const serviceId = await siteWith(1);
    const [referralId, other] = [await submitted(serviceId), randomUUID()];
    const { body } = await holdFor(referralId);
    const insert = inTransaction(house.service.database.app, [], async (tx) => {
      tx.write({ name: '', text: `INSERT INTO hold SELECT '${other}', organisation_id, '${other}', state, placed_at FROM hold WHERE hold_id = '${String(body.holdId)}'`, values: [] },
        { name: '', text: `INSERT INTO bed_hold SELECT '${other}', bed_id, 'confirmed', stay FROM bed_hold WHERE hold_id = '${String(body.holdId)}'`, values: [] });
    });
    await expect(insert).rejects.toMatchObject({ code: '23P01', constraint: 'bed_hold_no_overlap' });
  });

  it('is held once for a referral, also when it is asked for twice at the same moment', async () => {
    const referralId = await submitted(await siteWith(4));
    const answers = await Promise.all([holdFor(referralId), holdFor(referralId)]);
    expect(answers.map((answer) => answer.code || String(answer.status)).toSorted()).toEqual(['201', 'already-held']);
    expect((await holdFor(referralId)).code).toBe('already-held');
  });

  it('is held for the whole household or for nobody', async () => {
    const serviceId = await siteWith(2);
    expect((await holdFor(await submitted(serviceId, { dependantsCount: 2 }))).code).toBe('no-free-bed');
    const placed = await holdFor(await submitted(serviceId, { dependantsCount: 1 }));
    expect(placed.status).toBe(201);
    expect((await call('shelter-a-system', 'GET', placed.location)).body.bedIds).toHaveLength(2);
  });

  it('is answered again for a repeated request, not held again', async () => {
    const serviceId = await siteWith(2);
    const body = { referralId: await submitted(serviceId), placementClass: 'woman', responsibleRole: 'focal-point' };
    const [first, again] = [await post('shelter-a-system', `${base}/holds`, { body, key: 'a-key-of-this-test' }), await post('shelter-a-system', `${base}/holds`, { body, key: 'a-key-of-this-test' })];
    expect([again.status, again.body, again.location]).toEqual([201, first.body, first.location]);
  });

  it('is free again when the referral did not take it, and the network hears only the band', async () => {
    const serviceId = await siteWith(1);
    await eventually(async () => (await told('shelter.capacity-changed.v1', serviceId)).length === 1, { what: 'the first band' });
    const referralId = await submitted(serviceId);
    const placed = await holdFor(referralId);
    await eventually(async () => (await told('shelter.capacity-changed.v1', serviceId)).length === 2, { what: 'the house being full' });
    await publish('referral.acceptance-refused.v1', { referralId, fromOrg: sender, toOrg: shelter, holdId: placed.body.holdId, reasonCode: 'cancelled' }, referralId);
    await inState(placed.location, 'released');
    await eventually(async () => (await told('shelter.capacity-changed.v1', serviceId)).length === 3, { what: 'the free bed' });
    expect((await told('shelter.capacity-changed.v1', serviceId)).map(({ statusCode, band }) => [statusCode, band])).toEqual([['capacity', '1-2'], ['no-capacity', '0'], ['capacity', '1-2']]);
    expect((await holdFor(await submitted(serviceId))).status).toBe(201);
  });
});

describe('an arrival', () => {
  it('is planned without the address, opened by its escort alone, and closed by the stay', async () => {
    const referralId = await submitted(await siteWith(1));
    const placed = await holdFor(referralId);
    const plans = `${base}/arrival-plans/${referralId}`;
    expect((await post('souss-system', `${plans}/openings`, { body: {} })).status).toBe(404);
    await accepted(referralId, String(placed.body.holdId));
    const { etag } = await inState(placed.location, 'confirmed');
    const plan = { meetingPoint, meetAt: after(60), askForRole: 'shelter-staff' };
    expect((await call('shelter-a-system', 'PUT', plans, { body: { ...plan, meetingPoint: 'devant le 14, rue des eclairs inventes' }, ifMatch: etag })).code).toBe('address-in-plan');
    expect((await call('shelter-a-system', 'PUT', plans, { body: plan })).code).toBe('precondition-required');
    const planned = await call('shelter-a-system', 'PUT', plans, { body: plan, ifMatch: etag });
    expect(planned.status).toBe(200);
    expect((await post('souss-system', `${plans}/openings`, { body: {} })).status).toBe(404);
    expect((await call('casa-system', 'PUT', `${plans}/escort`, { body: { escortSubject: senderAccount } })).status).toBe(404);
    expect((await call('souss-system', 'PUT', `${plans}/escort`, { body: { escortSubject: senderAccount } })).status).toBe(200);
    const opened = await post('souss-system', `${plans}/openings`, { body: {}, key: 'the-opening-of-this-test' });
    expect(opened.body).toEqual(plan);
    expect((await call('shelter-a-system', 'GET', plans)).body).toMatchObject({ meetingPoint, escortNamed: true, openedAt: [expect.any(String)] });
    const hold = await call('shelter-a-system', 'GET', placed.location);
    expect((await post('shelter-a-system', `${placed.location}/stay`, { body: { arrivedAt: '0001-01-01T00:00:00.000Z' }, ifMatch: hold.etag })).code).toBe('validation-failed');
    expect((await post('shelter-a-system', `${placed.location}/stay`, { body: { arrivedAt: after(0) }, ifMatch: hold.etag })).body.state).toBe('occupied');
    // Not even for a request that was answered before: what it opened is closed by now.
    expect((await post('souss-system', `${plans}/openings`, { body: {}, key: 'the-opening-of-this-test' })).code).toBe('gone');
    const stay = await call('shelter-a-system', 'GET', placed.location);
    expect((await post('shelter-a-system', `${placed.location}/stay-end`, { body: { endedAt: after(0), outcomeCode: 'delivered' }, ifMatch: stay.etag })).body.state).toBe('ended');
    expect(await told('shelter.stay-ended.v1', String(placed.body.holdId))).toHaveLength(1);
  });

  it('leaves each opening and each denial on record', async () => {
    const leaves = (await house.leavesOf()).filter((leaf) => leaf.action === 'arrival.open-plan');
    expect(leaves.map((leaf) => [leaf.decision, leaf.outcome])).toEqual([['deny', 'denied'], ['deny', 'denied'], ['permit', 'done'], ['permit', 'shown']]);
  });

  it('leaves address and meeting point in no event, table or audit entry', async () => {
    expect(await house.tablesWith('clairs', 'rond-point', 'eclairs')).toEqual([]);
  });

  it('shows the address to the staff of the house and to nobody else', async () => {
    const { items } = (await call('shelter-a-system', 'GET', `${base}/sites`)).body as { items: { siteId: string }[] };
    expect(JSON.stringify(items)).not.toContain('clairs');
    const path = `${base}/sites/${items[0]!.siteId}`;
    expect((await call('shelter-a-system', 'GET', path)).body.address).toBe(address);
    expect((await call('shelter-b-system', 'GET', path)).status).toBe(404);
    expect((await call('shelter-b-system', 'GET', path.replace(shelter, otherShelter))).status).toBe(404);
    for (const client of ['souss-system', 'clinic-system']) expect((await call(client, 'GET', path)).status).toBe(403);
  });
});

describe('time and withdrawal', () => {
  it('make a hold that nobody confirmed run out, and an acceptance that comes too late finds it lost', async () => {
    const referralId = await submitted(await siteWith(1));
    const placed = await holdFor(referralId);
    house.passHours(25);
    await inState(placed.location, 'expired');
    await accepted(referralId, String(placed.body.holdId));
    await inState(placed.location, 'lost');
    expect(await told('shelter.hold-lost.v1', String(placed.body.holdId))).toHaveLength(1);
  });

  it('leave her the bed for a day, then free it; her data is acknowledged at once and deleted not before its time', async () => {
    const consentRef = randomUUID();
    const referralId = await submitted(await siteWith(1), { consentRef });
    const placed = await holdFor(referralId);
    const holdId = String(placed.body.holdId);
    // The withdrawal may overtake the acceptance: they come by two topics.
    await publish('intake.consent-withdrawn.v1', { consentRef, version: 2, effectiveAt: after(0), service: 'stop', releaseHoldAt: after(24), disposeNotBefore: after(72) }, consentRef);
    await accepted(referralId, holdId, consentRef);
    await publish('referral.withdrawn.v1', { referralId, fromOrg: sender, toOrg: shelter, releaseHoldAt: after(24) }, referralId);
    await eventually(async () => (await told('shelter.consent-withdrawal-acknowledged.v1', consentRef)).length === 1, { what: 'the acknowledgement' });
    await eventually(async () => (await call('shelter-a-system', 'GET', placed.location)).body.releaseAt, { what: 'the deferred release' });
    const disposal = `${base}/disposals/${consentRef}`;
    expect((await post('shelter-b-system', disposal, { body: { disposition: 'deleted' } })).status).toBe(404);
    expect((await post('shelter-a-system', disposal, { body: { disposition: 'deleted' } })).code).toBe('illegal-transition');
    house.passHours(23);
    expect((await call('shelter-a-system', 'GET', placed.location)).body.state).toBe('confirmed');
    house.passHours(2);
    await inState(placed.location, 'released');
    expect(await told('shelter.hold-released.v1', holdId)).toMatchObject([{ reasonCode: 'withdrawn' }]);
    house.passHours(48);
    expect((await post('shelter-a-system', disposal, { body: { disposition: 'deleted' } })).body).toMatchObject({ state: 'attested', disposition: 'deleted' });
  });
});
