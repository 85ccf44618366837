import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishedEvents } from '@amana/contracts';
import { append, Database, inTransaction, type ServiceUrls } from '@amana/persistence';
import { type RunningService, startService } from '@amana/service';
import { eventually, type ThrowawayServer, throwawayDatabase, throwawayServer } from '@amana/testing';
import { ClientKeyFile, clientKeyPath, TokenSource } from '../../../infra/local/src/credentials.ts';
import { type RunningIssuer, startIssuer } from '../../../infra/local/src/issuer.ts';
import { readJsonFile } from '../../../infra/local/src/json-file.ts';
import { readAccounts, readClients } from '../../../infra/local/src/network-accounts.ts';
import { startPostgres } from '../../../infra/local/src/postgres.ts';
import { HealthService } from './health.module.ts';

const network = join(import.meta.dirname, '../../../infra/local/network');
const clinic = '77f26e51-b398-4206-8088-26e3b781a8e4';
const sender = '4dad89d7-869e-466d-b732-3e60761de948';
const list = `/v1/health/${clinic}/medical-referrals`;
const hourMs = 3_600_000;

let server: ThrowawayServer;
let issuer: RunningIssuer;
let service: RunningService;
let stateDir: string;
const producers = new Map<string, ServiceUrls>();
const tokens = new Map<string, TokenSource>();

interface Answer { status: number; code: string; etag: string; retryAfter: string | null; body: Record<string, unknown> }

async function call(client: string, method: string, path: string, options: { body?: unknown; ifMatch?: string } = {}): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, {
    method, ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    headers: {
      authorization: `Bearer ${await tokens.get(client)!.token()}`, 'content-type': 'application/json',
      ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}), ...(options.ifMatch ? { 'if-match': options.ifMatch } : {}),
    },
  });
  const body = await response.json() as Record<string, unknown>;
  return { status: response.status, code: String(body.code ?? ''), etag: response.headers.get('etag') ?? '', retryAfter: response.headers.get('retry-after'), body };
}

/** Publishes an event as its producer would: from that producer's own log. */
async function publish(type: string, key: string, data: unknown): Promise<void> {
  const database = new Database(producers.get(type.split('.')[0]!)!);
  await inTransaction(database.app, [], (tx) => tx.write(append([{ stream: randomUUID(), version: 1, definition: publishedEvents.get(type)!, key, data }], {}, service.clock.business()).statement));
  await database.close();
}

const after = (hours: number): string => new Date(service.clock.business().getTime() + hours * hourMs).toISOString();
const parties = (referralId: string) => ({ referralId, fromOrg: sender, toOrg: clinic });
const listed = async (referralId: string) => ((await call('clinic-system', 'GET', `${list}?limit=100`)).body.items as Record<string, unknown>[]).find((item) => item.referralId === referralId);

async function submitted(consentRef: string = randomUUID()): Promise<string> {
  const referralId = randomUUID();
  await publish('referral.submitted.v1', referralId, {
    ...parties(referralId), toServiceId: randomUUID(), serviceKind: 'health', urgency: 'urgent', ackBy: after(8), decideBy: after(24), serveBy: after(72), expiresAt: after(36), consentRef,
    dependantsCount: 0, occurredAt: after(0), deliveryMode: 'system',
  });
  await eventually(() => listed(referralId), { what: 'the referral' });
  return referralId;
}

async function accepted(consentRef: string = randomUUID()): Promise<string> {
  const referralId = await submitted(consentRef);
  await publish('referral.accepted.v1', referralId, { ...parties(referralId), consentRef, serviceKind: 'health', urgency: 'urgent', serveBy: after(72) });
  await eventually(async () => (await call('clinic-system', 'GET', `${list}/${referralId}`)).status === 200, { what: 'the case' });
  return referralId;
}

const booking = { startsAt: '2030-05-06T09:30:00.000Z', interpreterLanguage: 'dyu', clinicianSex: 'female', accompaniment: true };
const outcome = { outcomeCode: 'prescribed', outcome: 'delivered', nextStep: 'follow_up' };
const book = (referralId: string, client = 'clinic-system') => call(client, 'POST', `${list}/${referralId}/appointments`, { body: booking });
const record = (referralId: string, booked: Answer, attended: boolean) => call('clinic-system', 'POST', `${list}/${referralId}/appointments/${String(booked.body.appointmentId)}/attendance`, { body: { attended }, ifMatch: booked.etag });
const published = async (referralId: string) => (await service.database.app.query<{ type: string; data: Record<string, unknown> }>('SELECT type, data FROM event WHERE stream = $1 AND topic IS NOT NULL ORDER BY version', [referralId])).rows;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'amana-health-'));
  server = await throwawayServer((dir) => startPostgres({ stateDir: dir, durable: false }));
  const urls = await throwawayDatabase(server.adminUrl, 'health', HealthService.migrations);
  for (const producer of ['referral', 'intake'] as const) producers.set(producer, await throwawayDatabase(server.adminUrl, producer));
  issuer = await startIssuer({ port: 0, stateDir, accounts: await readAccounts(join(network, 'accounts.json')), clients: await readClients(join(network, 'clients.json')) });
  service = await startService(HealthService, {
    mode: 'sandbox', service: 'health', appUrl: urls.appUrl, relayUrl: urls.relayUrl, bus: 'postgres',
    busUrls: { health: urls.busUrl, referral: producers.get('referral')!.busUrl, intake: producers.get('intake')!.busUrl },
    issuer: issuer.url, jwksUrl: issuer.jwksUrl, keyringFile: join(stateDir, 'keys/health.json'), logLevel: 'silent',
  });
  for (const client of ['souss-system', 'shelter-a-system', 'psychosocial-system', 'clinic-system']) {
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
    const impossible = await call('clinic-system', 'POST', `${list}/${referralId}/appointments`, { body: { ...booking, startsAt: '0000-01-01T00:00:00.000Z' } });
    expect(impossible.body.errors).toEqual([{ pointer: '/startsAt', code: 'out-of-range' }]);
    const missed = await record(referralId, await book(referralId), false);
    expect(missed.body).toMatchObject({ status: 'missed', attempt: 1 });
    const attended = await record(referralId, await book(referralId), true);
    expect(attended.body).toMatchObject({ status: 'attended', attempt: 2 });
    expect((await call('clinic-system', 'POST', `${list}/${referralId}/outcome`, { body: outcome })).code).toBe('precondition-required');
    expect((await call('clinic-system', 'POST', `${list}/${referralId}/outcome`, { body: outcome, ifMatch: attended.etag })).body.status).toBe('completed');
    const events = await published(referralId);
    expect(events.map((event) => event.type)).toEqual(['health.appointment-booked.v1', 'health.appointment-missed.v1', 'health.appointment-booked.v1', 'health.appointment-attended.v1', 'health.consultation-completed.v1']);
    expect(events.at(-1)!.data).toEqual({ referralId, organisationId: clinic, attended: true, outcome: 'delivered' });
    const view = (await call('clinic-system', 'GET', `${list}/${referralId}`)).body;
    expect(view.consultation).toEqual(outcome);
    expect(view.appointments).toMatchObject([{ attempt: 1, state: 'missed' }, { attempt: 2, state: 'attended', interpreterLanguage: 'dyu', clinicianSex: 'female', accompaniment: true, startsAt: booking.startsAt }]);
  });

  it('is listed page by page, each item once', async () => {
    const seen: string[] = [];
    for (let next: string | undefined = ''; next !== undefined && seen.length < 50;) {
      const page: Answer = await call('clinic-system', 'GET', `${list}?limit=2${next && `&after=${next}`}`);
      seen.push(...(page.body.items as { referralId: string }[]).map((item) => item.referralId));
      next = page.body.next as string | undefined;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(3);
    expect((await call('clinic-system', 'GET', `${list}?after=bm90LWEtY3Vyc29y`)).body.errors).toEqual([{ pointer: '/after', code: 'not-a-cursor' }]);
  });

  it('is booked by one of two that try at the same moment', async () => {
    const referralId = await accepted();
    const answers = await Promise.all([book(referralId), book(referralId)]);
    expect(answers.map((answer) => answer.code || String(answer.status)).toSorted()).toEqual(['201', 'illegal-transition']);
  });

  it('keeps outcome and needs in no event, table or audit entry', async () => {
    const { rows } = await service.database.app.query<{ found: string }>('SELECT table_name AS found FROM information_schema.tables WHERE table_schema = \'public\' AND table_type = \'BASE TABLE\' AND table_name NOT LIKE \'migration%\' AND table_name <> \'relay_state\'');
    for (const { found } of rows) {
      const { rows: [hits] } = await service.database.app.query<{ n: number }>(`SELECT count(*)::int AS n FROM "${found}" t WHERE t::text LIKE ANY (ARRAY['%prescribed%', '%dyu%', '%female%'])`);
      expect([found, hits!.n]).toEqual([found, 0]);
    }
  });

  it('ends when her consent does; what became of the data is attested, and what was sealed is gone', async () => {
    const consentRef = randomUUID();
    const referralId = await accepted(consentRef);
    const booked = await book(referralId);
    await publish('intake.consent-withdrawn.v1', consentRef, { consentRef, version: 2, effectiveAt: after(0), service: 'stop', releaseHoldAt: after(24), disposeNotBefore: after(72) });
    await publish('referral.withdrawn.v1', referralId, { ...parties(referralId), releaseHoldAt: after(24) });
    await eventually(async () => (await listed(referralId))?.status === 'ended', { what: 'the end of the case' });
    expect((await record(referralId, await call('clinic-system', 'GET', `${list}/${referralId}`).then((answer) => ({ ...booked, etag: answer.etag })), true)).code).toBe('illegal-transition');
    const disposal = `/v1/health/${clinic}/disposals/${consentRef}`;
    await eventually(async () => (await published(consentRef)).length === 1, { what: 'the acknowledgement' });
    const attest = (client: string) => call(client, 'POST', disposal, { body: { disposition: 'deleted' } });
    expect((await attest('psychosocial-system')).status).toBe(404);
    expect((await attest('clinic-system')).code).toBe('illegal-transition');
    service.clock.moveTo(service.clock.offsetMs + 73 * hourMs);
    expect((await attest('clinic-system')).body).toMatchObject({ state: 'attested', disposition: 'deleted' });
    const view = (await call('clinic-system', 'GET', `${list}/${referralId}`)).body;
    expect(view.endReason).toBe('withdrawn');
    expect(view.appointments).toEqual([{ appointmentId: booked.body.appointmentId, attempt: 1, state: 'booked', startsAt: booking.startsAt, accompaniment: true }]);
  });
});
