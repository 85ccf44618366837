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
import { ClientKeyFile, clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { type RunningIssuer, startIssuer } from '../../../infra/local/src/issuer.ts';
import { readJsonFile } from '../../../infra/local/src/json-file.ts';
import { readAccounts, readClients } from '../../../infra/local/src/network-accounts.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { ShelterService } from './shelter.module.ts';

const network = join(import.meta.dirname, '../../../infra/local/network');
const shelter = '5b28698b-7c30-43d0-9d3d-db1972f09534';
const sender = '4dad89d7-869e-466d-b732-3e60761de948';
const senderAccount = 'f489c85e-1410-4460-87b8-e2461481d3f8';
const address = '14 rue des Éclairs-Inventés, Agadir';
const meetingPoint = 'Pharmacie du rond-point inventé';
const hourMs = 3_600_000;
const base = `/v1/shelter/${shelter}`;

let server: ThrowawayServer;
let issuer: RunningIssuer;
let service: RunningService;
let stateDir: string;
const producers = new Map<string, ServiceUrls>();
const tokens = new Map<string, TokenSource>();

interface Answer { status: number; code: string; etag: string; location: string; body: Record<string, unknown> }

async function call(client: string, method: string, path: string, options: { body?: unknown; ifMatch?: string; key?: string } = {}): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, {
    method, ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    headers: {
      authorization: `Bearer ${await tokens.get(client)!.token()}`, 'content-type': 'application/json',
      ...(method === 'POST' ? { 'idempotency-key': options.key ?? randomUUID() } : {}), ...(options.ifMatch ? { 'if-match': options.ifMatch } : {}),
    },
  });
  const body = await response.json() as Record<string, unknown>;
  return { status: response.status, code: String(body.code ?? ''), etag: response.headers.get('etag') ?? '', location: response.headers.get('location') ?? '', body };
}

/** Publishes an event as its producer would: from that producer's own log. */
async function publish(type: string, key: string, data: unknown): Promise<void> {
  const database = new Database(producers.get(type.split('.')[0]!)!);
  await inTransaction(database.app, [], (tx) => tx.write(append([{ stream: randomUUID(), version: 1, definition: publishedEvents.get(type)!, key, data }], {}, service.clock.business()).statement));
  await database.close();
}

const after = (hours: number): string => new Date(service.clock.business().getTime() + hours * hourMs).toISOString();

async function submitted(serviceId: string, options: { toOrg?: string; dependantsCount?: number; consentRef?: string } = {}): Promise<string> {
  const referralId = randomUUID();
  const { toOrg = shelter, dependantsCount = 0, consentRef = randomUUID() } = options;
  const [ackBy, decideBy, serveBy, expiresAt] = [after(8), after(24), after(72), after(36)];
  await publish('referral.submitted.v1', referralId, {
    referralId, fromOrg: sender, toOrg, toServiceId: serviceId, serviceKind: 'shelter', urgency: 'urgent', ackBy, decideBy, serveBy, expiresAt, consentRef,
    placementClass: 'woman', dependantsCount, occurredAt: after(0), deliveryMode: 'system',
  });
  await eventually(async () => ((await call('shelter-a-system', 'GET', `${base}/referrals?limit=100`)).body.items as { referralId: string }[]).some((item) => item.referralId === referralId) || toOrg !== shelter, { what: 'the referral' });
  return referralId;
}

async function house(beds: number): Promise<string> {
  const serviceId = randomUUID();
  await publish('referral.service-listed.v1', serviceId, { serviceId, organisationId: shelter, kind: 'shelter', name: 'Invented', status: 'active', sexes: ['female'], families: true, languages: ['fr'], regions: [] });
  const body = { serviceId, code: 'H1', address, placementClasses: ['woman'], rooms: [{ code: 'R1', beds: Array.from({ length: beds }, (_, n) => ({ code: `B${n}` })) }] };
  await eventually(async () => (await call('shelter-a-system', 'POST', `${base}/sites`, { body })).status === 201, { what: 'the service in the directory' });
  return serviceId;
}

const holdFor = (referralId: string, more: object = {}, client = 'shelter-a-system') => call(client, 'POST', `${base}/holds`, { body: { referralId, placementClass: 'woman', responsibleRole: 'focal-point', ...more } });
const inState = (path: string, state: string) => eventually(async () => { const answer = await call('shelter-a-system', 'GET', path); return answer.body.state === state && answer; }, { what: `a hold that is ${state}` });
const accepted = (referralId: string, holdId: string, consentRef: string = randomUUID()) =>
  publish('referral.accepted.v1', referralId, { referralId, fromOrg: sender, toOrg: shelter, holdId, consentRef, serviceKind: 'shelter', urgency: 'urgent', serveBy: after(72) });
const told = async (type: string, key: string) => (await service.database.app.query<{ data: Record<string, unknown> }>('SELECT data FROM event WHERE type = $1 AND key = $2 ORDER BY position', [type, key])).rows.map((row) => row.data);

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'amana-shelter-'));
  server = await throwawayServer((dir) => startPostgres({ stateDir: dir, durable: false }));
  const urls = await throwawayDatabase(server.adminUrl, 'shelter', ShelterService.migrations);
  for (const producer of ['referral', 'intake'] as const) producers.set(producer, await throwawayDatabase(server.adminUrl, producer));
  issuer = await startIssuer({ port: 0, stateDir, accounts: await readAccounts(join(network, 'accounts.json')), clients: await readClients(join(network, 'clients.json')) });
  service = await startService(ShelterService, {
    mode: 'sandbox', service: 'shelter', appUrl: urls.appUrl, relayUrl: urls.relayUrl, bus: 'postgres',
    busUrls: { shelter: urls.busUrl, referral: producers.get('referral')!.busUrl, intake: producers.get('intake')!.busUrl },
    issuer: issuer.url, jwksUrl: issuer.jwksUrl, keyringFile: join(stateDir, 'keys/shelter.json'), logLevel: 'silent',
  });
  for (const client of ['souss-system', 'casa-system', 'shelter-a-system', 'shelter-b-system', 'clinic-system']) {
    const key = await readJsonFile(clientKeyPath(stateDir, client), ClientKeyFile);
    tokens.set(client, TokenSource.forClient({ tokenUrl: key.tokenUrl, clientId: client, privateJwk: key.privateJwk }));
  }
}, 90_000);

afterAll(async () => {
  await service?.stop();
  await issuer?.stop();
  await server?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('a bed', () => {
  it('is not held for another\'s referral or an unknown one, and the two look the same', async () => {
    const serviceId = await house(1);
    const own = await submitted(serviceId);
    const [foreign, unknown] = [await holdFor(await submitted(serviceId, { toOrg: '26a51478-f556-43d7-b925-39edf0d40677' })), await holdFor(randomUUID())];
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    expect({ ...foreign.body, traceId: '' }).toEqual({ ...unknown.body, traceId: '' });
    expect((await holdFor(own, {}, 'shelter-b-system')).status).toBe(404);
    expect((await holdFor(own, {}, 'clinic-system')).status).toBe(403);
  });

  it('goes to as many takers as there are beds, however many ask at once, and to no two of them', async () => {
    const serviceId = await house(7);
    const referrals = await Promise.all(Array.from({ length: 12 }, () => submitted(serviceId)));
    const answers = await Promise.all(referrals.map((referralId) => holdFor(referralId)));
    expect(answers.map((answer) => answer.code || String(answer.status)).toSorted()).toEqual([...Array<string>(7).fill('201'), ...Array<string>(5).fill('no-free-bed')]);
    const { rows } = await service.database.app.query<{ bed_id: string }>('SELECT h.bed_id FROM bed_hold h JOIN bed USING (bed_id) WHERE service_id = $1', [serviceId]);
    expect(new Set(rows.map((row) => row.bed_id)).size).toBe(7);
    expect(rows).toHaveLength(7);
  });

  it('cannot be in two live holds even by a writer that does not look first: the database refuses', async () => {
    const serviceId = await house(1);
    const [referralId, other] = [await submitted(serviceId), randomUUID()];
    const { body } = await holdFor(referralId);
    const insert = inTransaction(service.database.app, [], async (tx) => {
      tx.write({ name: '', text: `INSERT INTO hold SELECT '${other}', organisation_id, '${other}', state, placed_at FROM hold WHERE hold_id = '${String(body.holdId)}'`, values: [] },
        { name: '', text: `INSERT INTO bed_hold SELECT '${other}', bed_id, 'confirmed', stay FROM bed_hold WHERE hold_id = '${String(body.holdId)}'`, values: [] });
    });
    await expect(insert).rejects.toMatchObject({ code: '23P01', constraint: 'bed_hold_no_overlap' });
  });

  it('is held once for a referral, also when it is asked for twice at the same moment', async () => {
    const referralId = await submitted(await house(4));
    const answers = await Promise.all([holdFor(referralId), holdFor(referralId)]);
    expect(answers.map((answer) => answer.code || String(answer.status)).toSorted()).toEqual(['201', 'already-held']);
    expect((await holdFor(referralId)).code).toBe('already-held');
  });

  it('is held for the whole household or for nobody', async () => {
    const serviceId = await house(2);
    expect((await holdFor(await submitted(serviceId, { dependantsCount: 2 }))).code).toBe('no-free-bed');
    const placed = await holdFor(await submitted(serviceId, { dependantsCount: 1 }));
    expect(placed.status).toBe(201);
    expect((await call('shelter-a-system', 'GET', placed.location)).body.bedIds).toHaveLength(2);
  });

  it('is answered again for a repeated request, not held again', async () => {
    const serviceId = await house(2);
    const body = { referralId: await submitted(serviceId), placementClass: 'woman', responsibleRole: 'focal-point' };
    const [first, again] = [await call('shelter-a-system', 'POST', `${base}/holds`, { body, key: 'a-key-of-this-test' }), await call('shelter-a-system', 'POST', `${base}/holds`, { body, key: 'a-key-of-this-test' })];
    expect([again.status, again.body, again.location]).toEqual([201, first.body, first.location]);
  });

  it('is free again when the referral did not take it, and the network hears only the band', async () => {
    const serviceId = await house(1);
    await eventually(async () => (await told('shelter.capacity-changed.v1', serviceId)).length === 1, { what: 'the first band' });
    const referralId = await submitted(serviceId);
    const placed = await holdFor(referralId);
    await eventually(async () => (await told('shelter.capacity-changed.v1', serviceId)).length === 2, { what: 'the house being full' });
    await publish('referral.acceptance-refused.v1', referralId, { referralId, fromOrg: sender, toOrg: shelter, holdId: placed.body.holdId, reasonCode: 'cancelled' });
    await inState(placed.location, 'released');
    await eventually(async () => (await told('shelter.capacity-changed.v1', serviceId)).length === 3, { what: 'the free bed' });
    expect((await told('shelter.capacity-changed.v1', serviceId)).map(({ statusCode, band }) => [statusCode, band])).toEqual([['capacity', '1-2'], ['no-capacity', '0'], ['capacity', '1-2']]);
    expect((await holdFor(await submitted(serviceId))).status).toBe(201);
  });
});

describe('an arrival', () => {
  it('is planned without the address, opened by its escort alone, and closed by the stay', async () => {
    const referralId = await submitted(await house(1));
    const placed = await holdFor(referralId);
    const plans = `${base}/arrival-plans/${referralId}`;
    expect((await call('souss-system', 'POST', `${plans}/openings`, { body: {} })).status).toBe(404);
    await accepted(referralId, String(placed.body.holdId));
    const { etag } = await inState(placed.location, 'confirmed');
    const plan = { meetingPoint, meetAt: after(60), askForRole: 'shelter-staff' };
    expect((await call('shelter-a-system', 'PUT', plans, { body: { ...plan, meetingPoint: 'devant le 14, rue des eclairs inventes' }, ifMatch: etag })).code).toBe('address-in-plan');
    expect((await call('shelter-a-system', 'PUT', plans, { body: plan })).code).toBe('precondition-required');
    const planned = await call('shelter-a-system', 'PUT', plans, { body: plan, ifMatch: etag });
    expect(planned.status).toBe(200);
    expect((await call('souss-system', 'POST', `${plans}/openings`, { body: {} })).status).toBe(404);
    expect((await call('casa-system', 'PUT', `${plans}/escort`, { body: { escortSubject: senderAccount } })).status).toBe(404);
    expect((await call('souss-system', 'PUT', `${plans}/escort`, { body: { escortSubject: senderAccount } })).status).toBe(200);
    const opened = await call('souss-system', 'POST', `${plans}/openings`, { body: {}, key: 'the-opening-of-this-test' });
    expect(opened.body).toEqual(plan);
    expect((await call('shelter-a-system', 'GET', plans)).body).toMatchObject({ meetingPoint, escortNamed: true, openedAt: [expect.any(String)] });
    const hold = await call('shelter-a-system', 'GET', placed.location);
    expect((await call('shelter-a-system', 'POST', `${placed.location}/stay`, { body: { arrivedAt: '0001-01-01T00:00:00.000Z' }, ifMatch: hold.etag })).code).toBe('validation-failed');
    expect((await call('shelter-a-system', 'POST', `${placed.location}/stay`, { body: { arrivedAt: after(0) }, ifMatch: hold.etag })).body.state).toBe('occupied');
    // Not even for a request that was answered before: what it opened is closed by now.
    expect((await call('souss-system', 'POST', `${plans}/openings`, { body: {}, key: 'the-opening-of-this-test' })).code).toBe('gone');
    const stay = await call('shelter-a-system', 'GET', placed.location);
    expect((await call('shelter-a-system', 'POST', `${placed.location}/stay-end`, { body: { endedAt: after(0), outcomeCode: 'delivered' }, ifMatch: stay.etag })).body.state).toBe('ended');
    expect(await told('shelter.stay-ended.v1', String(placed.body.holdId))).toHaveLength(1);
  });

  it('leaves each opening and each denial on record', async () => {
    const { rows } = await service.database.app.query<{ leaf: string }>('SELECT data->>\'leaf\' AS leaf FROM event WHERE topic = \'shelter.audit.v1\' ORDER BY position');
    const leaves = rows.map((row) => readLeaf(Buffer.from(row.leaf, 'base64url'))).filter((leaf) => leaf.action === 'arrival.open-plan');
    expect(leaves.map((leaf) => [leaf.decision, leaf.outcome])).toEqual([['deny', 'denied'], ['deny', 'denied'], ['permit', 'done'], ['permit', 'shown']]);
  });

  it('leaves address and meeting point in no event, table or audit entry', async () => {
    const { rows } = await service.database.app.query<{ found: string }>('SELECT table_name AS found FROM information_schema.tables WHERE table_schema = \'public\' AND table_type = \'BASE TABLE\' AND table_name NOT LIKE \'migration%\' AND table_name <> \'relay_state\'');
    for (const { found } of rows) {
      const { rows: [hits] } = await service.database.app.query<{ n: number }>(`SELECT count(*)::int AS n FROM "${found}" t WHERE t::text LIKE ANY (ARRAY['%clairs%', '%rond-point%', '%eclairs%'])`);
      expect([found, hits!.n]).toEqual([found, 0]);
    }
  });

  it('shows the address to the staff of the house and to nobody else', async () => {
    const { items } = (await call('shelter-a-system', 'GET', `${base}/sites`)).body as { items: { siteId: string }[] };
    expect(JSON.stringify(items)).not.toContain('clairs');
    const path = `${base}/sites/${items[0]!.siteId}`;
    expect((await call('shelter-a-system', 'GET', path)).body.address).toBe(address);
    expect((await call('shelter-b-system', 'GET', path)).status).toBe(404);
    expect((await call('shelter-b-system', 'GET', path.replace(shelter, '26a51478-f556-43d7-b925-39edf0d40677'))).status).toBe(404);
    for (const client of ['souss-system', 'clinic-system']) expect((await call(client, 'GET', path)).status).toBe(403);
  });
});

describe('time and withdrawal', () => {
  it('make a hold that nobody confirmed run out, and an acceptance that comes too late finds it lost', async () => {
    const referralId = await submitted(await house(1));
    const placed = await holdFor(referralId);
    service.clock.moveTo(service.clock.offsetMs + 25 * hourMs);
    service.due.poke();
    await inState(placed.location, 'expired');
    await accepted(referralId, String(placed.body.holdId));
    await inState(placed.location, 'lost');
    expect(await told('shelter.hold-lost.v1', String(placed.body.holdId))).toHaveLength(1);
  });

  it('leave her the bed for a day, then free it; her data is acknowledged at once and deleted not before its time', async () => {
    const consentRef = randomUUID();
    const referralId = await submitted(await house(1), { consentRef });
    const placed = await holdFor(referralId);
    const holdId = String(placed.body.holdId);
    // The withdrawal may overtake the acceptance: they come by two topics.
    await publish('intake.consent-withdrawn.v1', consentRef, { consentRef, version: 2, effectiveAt: after(0), service: 'stop', releaseHoldAt: after(24), disposeNotBefore: after(72) });
    await accepted(referralId, holdId, consentRef);
    await publish('referral.withdrawn.v1', referralId, { referralId, fromOrg: sender, toOrg: shelter, releaseHoldAt: after(24) });
    await eventually(async () => (await told('shelter.consent-withdrawal-acknowledged.v1', consentRef)).length === 1, { what: 'the acknowledgement' });
    await eventually(async () => (await call('shelter-a-system', 'GET', placed.location)).body.releaseAt, { what: 'the deferred release' });
    const disposal = `${base}/disposals/${consentRef}`;
    expect((await call('shelter-b-system', 'POST', disposal, { body: { disposition: 'deleted' } })).status).toBe(404);
    expect((await call('shelter-a-system', 'POST', disposal, { body: { disposition: 'deleted' } })).code).toBe('illegal-transition');
    service.clock.moveTo(service.clock.offsetMs + 23 * hourMs);
    service.due.poke();
    expect((await call('shelter-a-system', 'GET', placed.location)).body.state).toBe('confirmed');
    service.clock.moveTo(service.clock.offsetMs + 2 * hourMs);
    service.due.poke();
    await inState(placed.location, 'released');
    expect(await told('shelter.hold-released.v1', holdId)).toMatchObject([{ reasonCode: 'withdrawn' }]);
    service.clock.moveTo(service.clock.offsetMs + 48 * hourMs);
    expect((await call('shelter-a-system', 'POST', disposal, { body: { disposition: 'deleted' } })).body).toMatchObject({ state: 'attested', disposition: 'deleted' });
  });
});
