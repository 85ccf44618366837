import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeKafka, seedDirectory, Stack } from '@amana/local';
import { createKafka } from '@amana/messaging';
import { openPool } from '@amana/persistence';
import type { TraceLine } from '@amana/telemetry';
import { eventually } from '@amana/testing';
import { LeakScan } from './leak-scan.ts';
import { NetworkClient } from './network-client.ts';
import { dumpOf } from './network-dump.ts';
import { Overheard } from './overheard.ts';
import { play, type PlayedStep } from './play.ts';
import { proveHistory } from './proven.ts';
import { readStory, World } from './story.ts';
import { TraceReader } from './trace-reader.ts';

const startWithinMs = 240_000;
const file = join(import.meta.dirname, '../data/alice/story.json');
const { story, person } = await readStory(file);
const scan = new LeakScan(story.planted);
/** A trace of somebody else's, which every caller of the story names. */
const foreignTrace = '0af7651916cd43dd8448eb211c80319c';
const foreign = { traceparent: `00-${foreignTrace}-b7ad6b7169203331-01`, tracestate: `else=${foreignTrace}`, baggage: `trace=${foreignTrace}` };

const allSteps = story.steps.map(({ id }) => id);
const idsOf = (steps: readonly PlayedStep[]): string[] => steps.map(({ id }) => id);

async function worldOf(stack: Stack): Promise<World> {
  await seedDirectory(stack, { startsAt: new Date() });
  return new World({ story, person, network: new NetworkClient({ baseUrl: stack.url, issuerUrl: stack.issuer.url, stateDir: stack.options.stateDir }), now: stack.clock.now() });
}

describeKafka('Alice over Kafka, with two processes of each service', () => {
  const called: { headers: IncomingHttpHeaders; body: string }[] = [];
  let stateDir: string;
  let traceFile: string;
  let partner: Server;
  let partnerUrl: string;
  let stack: Stack;
  let world: World;
  let overheard: Overheard;
  const spansOf = (): TraceReader => TraceReader.read(traceFile);

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-alice-'));
    traceFile = join(stateDir, 'traces.ndjson');
    partner = createServer((request, response) => {
      void text(request).then((body) => {
        if (request.method === 'POST') called.push({ headers: request.headers, body });
        response.end(request.method === 'GET' ? `people{name="${story.planted[0]}"} 1` : '');
      });
    });
    await new Promise<void>((resolve) => { partner.listen(0, '127.0.0.1', resolve); });
    partnerUrl = `http://127.0.0.1:${(partner.address() as AddressInfo).port}`;
    stack = await Stack.start({ stateDir, bus: 'kafka', replicas: 2, durable: false, logLevel: 'debug', replicaEnv: { AMANA_TRACE_FILE: traceFile } });
    overheard = new Overheard(foreign);
    world = await worldOf(stack);
    const administrator = await world.network.signIn('shelter-a-admin', world.organisation('shelterA'));
    await administrator.change('POST', '/v1/notifications/webhooks', { url: `${partnerUrl}/called` });
  }, startWithinMs);

  afterAll(async () => {
    overheard?.stop();
    await stack?.stop();
    partner.close();
    partner.closeAllConnections();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is played to its end, all 61 steps', async () => {
    expect(idsOf(await play(world, () => undefined))).toEqual(allSteps);
    expect(allSteps).toHaveLength(61);
  });

  describe('one act', () => {
    const declined = 'POST /v1/referral/referrals/:referralId/decline';

    it('is one trace, from the request through statements, relay, broker and reactions to the last effect in other services', async () => {
      const way = ['referral: send referral.referral.v1', 'referral: process referral.declined.v1', 'referral: send referral.referral.v1'];
      const ends = [
        ['pg.query:event-append amana_referral', []],
        ['pg.query:audit-entry-keep amana_audit', ['referral: send referral.audit.v1', 'audit: process referral.audit-entry.v1']],
        ['pg.query:link-moved amana_intake', ['referral: send referral.referral.v1', 'intake: process referral.declined.v1']],
        ['pg.query:shelter-referral-list amana_shelter', [...way, 'shelter: process referral.submitted.v1']],
        ['pg.query:link-submitted amana_intake', [...way, 'intake: process referral.submitted.v1']],
        ['pg.query:item-noted amana_notifications', [...way, 'notifications: process referral.submitted.v1']],
        ['pg.query:audit-entry-keep amana_audit', [...way, 'notifications: process referral.submitted.v1', 'notifications: send notifications.audit.v1', 'audit: process notifications.audit-entry.v1']],
      ] as const;
      const wanted = ends.map(([end, through]) => [`referral: ${declined}`, ...through, `${end.replace(/.* amana_/, '')}: ${end}`]);
      const found = await eventually(async () => {
        const spans = spansOf();
        const [request, ...others] = spans.find({ kind: 'server', name: declined });
        const ways = request ? spans.find({ traceId: request.traceId }).map((span) => spans.wayTo(span)) : [];
        return others.length === 0 && wanted.every((one) => ways.some((other) => other.join() === one.join())) && ways;
      }, { what: `the ways ${wanted.map((one) => one.join(' > ')).join('\n')}` });
      expect(new Set(found.map(([first]) => first))).toEqual(new Set([`referral: ${declined}`]));
    });

    it('is put on record within its trace, whether it was done, shown or denied', async () => {
      let unrecorded: string[] = [];
      let counts = { acts: 0, denied: 0 };
      await eventually(async () => {
        const spans = spansOf();
        const kept = new Set(spans.find({ service: 'audit', name: 'pg.query:audit-entry-keep amana_audit' }).map(({ traceId }) => traceId));
        const answered = (request: TraceLine): number => Number(request.attributes['http.response.status_code']);
        // The others told nothing about anybody (hashes of the ledger among them), or showed a list in which nothing stood yet.
        const acts = spans.find({ kind: 'server' }).filter((request) => answered(request) < 300 && !/\/(?:public|matches|sites|incoming-transfers|checkpoint|:index)$/.test(request.name));
        const denied = spans.find({ kind: 'server' }).filter((request) => answered(request) === 403);
        unrecorded = [...spans.lost, ...[...acts, ...denied].filter(({ traceId }) => !kept.has(traceId))].map(({ name }) => name);
        counts = { acts: acts.length, denied: denied.length };
        return unrecorded.length === 0;
      }).catch(() => undefined);
      expect(unrecorded).toEqual([]);
      expect(counts.acts).toBeGreaterThan(100);
      expect(counts.denied).toBe(story.steps.filter(({ act }) => act === 'read-disclosure').length);
    });

    it('tells in its spans who worked when, and nothing about whom', () => {
      // Written out here once more: what the libraries allow themselves is what is tried.
      const allowed = [
        'amana.event.type', 'db.namespace', 'db.postgresql.plan', 'db.system.name', 'error.type', 'http.request.method', 'http.response.status_code', 'http.route',
        'messaging.destination.name', 'messaging.operation.name', 'messaging.operation.type', 'messaging.system',
      ];
      const told = new Set(spansOf().spans.flatMap(({ attributes }) => Object.keys(attributes)));
      expect([...told].filter((attribute) => !allowed.includes(attribute))).toEqual([]);
      expect(told.size).toBeGreaterThan(8);
      const idScan = new LeakScan([...world.known.values(), ...Object.values(story.organisations)].filter((id) => /^[0-9a-f-]{36}$/.test(id)));
      expect(idScan.search({ where: 'traces', content: Buffer.from(JSON.stringify(spansOf().spans)) })).toEqual([]);
    });

    it('joins no trace that its caller names, at the door or behind it', async () => {
      const [behind] = stack.replicas.filter(({ service }) => service === 'referral');
      for (const url of [stack.url, behind!.url]) await fetch(`${url}/v1/referral/problems/not-found`, { headers: foreign });
      const looks = await eventually(async () => { const seen = spansOf().find({ kind: 'server', name: 'GET /v1/:service/problems/:code' }); return seen.length === 2 && seen; }, { what: 'both looks' });
      expect(looks.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined]);
      expect(new LeakScan([foreignTrace]).searchAll(await dumpOf(stack))).toEqual([]);
    });

    it('ends at the network\'s edge: a webhook carries no trace', async () => {
      await eventually(async () => called.length > 0, { what: 'a webhook' });
      const traces = new LeakScan([...new Set(spansOf().spans.map(({ traceId }) => traceId))]);
      for (const { headers, body } of called) {
        expect(Object.keys(headers).sort()).toEqual(['connection', 'content-length', 'content-type', 'host', 'user-agent', 'webhook-id', 'webhook-signature', 'webhook-timestamp']);
        expect(traces.search({ where: 'webhook', content: Buffer.from(JSON.stringify([headers, body])) })).toEqual([]);
      }
    });
  });

  it('leaves a history that is proven on a machine of one\'s own: the whole ledger, and her referral entry by entry', async () => {
    const verdicts = await proveHistory(await world.actor('auditor'), { dir: join(stateDir, 'exported'), referralId: world.need('referral:medical') });
    expect([verdicts.length > 5, verdicts.filter((verdict) => !verdict.startsWith('OK: '))]).toEqual([true, []]);
  });

  describe('what was told in confidence', () => {
    it('is in no table, topic, dead letter, log, trace, metric or webhook, sealed bytes included', async () => {
      await sendPoison(stack.brokers!);
      await eventually(async () => (await dumpOf(stack)).some(({ where }) => where === 'topic referral.referral.v1.health.dlt'), { what: 'a dead letter' });
      // Read anew: that dump may have passed the tables before the poison reached them.
      const places = await dumpOf(stack);
      const read = places.filter(({ content }) => content.length > 1).map(({ where }) => where);
      expect(read).toEqual(expect.arrayContaining([
        'table intake.public.sealed', 'table intake.public.event', 'table intake.public.idempotency', 'table intake.public.due', 'table health.public.inbox_parked', 'table audit.public.audit_entry',
        'table shelter.public.sealed', 'table notifications.public.delivery', 'topic intake.audit.v1', 'topic referral.referral.v1', 'topic referral.referral.v1.health.dlt',
        'file logs/intake-1.log', 'file logs/notifications-2.log', 'file traces.ndjson', 'file postgres.log', 'file kafka/kafka.log', ...stack.replicas.map(({ service, url }) => `metrics ${url}/v1/${service}/metrics`),
      ]));
      expect(scan.searchAll([...places, ...called.map((call) => ({ where: 'webhook', content: Buffer.from(JSON.stringify(call)) }))])).toEqual([]);
    });

    it('was entered and is read by those who may, and by nobody else', async () => {
      const worker = await world.actor('soussWorker');
      await worker.get(`/v1/intake/${worker.organisationId}/cases/${world.need('case:owner')}`);
      for (const house of ['A', 'B']) {
        const staff = await world.network.signIn(`shelter-${house.toLowerCase()}-staff`, world.organisation(`shelter${house}`));
        const path = `/v1/shelter/${staff.organisationId}/sites`;
        for (const { siteId } of (await staff.get<{ items: { siteId: string }[] }>(path)).body.items) await staff.get(`${path}/${siteId}`);
      }
      const { exchanges } = overheard;
      const holds = (texts: readonly string[]): string[] => [...new Set(scan.search({ where: 'said', content: Buffer.from(texts.join('\n')) }).map(({ planted }) => planted))].sort();
      // The number of her papers stands in the case line, and intake has no field for it.
      const entered = story.planted.filter((planted) => planted !== person.prs_IdentityNumber).sort();
      expect(holds(exchanges.map(({ sent }) => sent))).toEqual(entered);
      expect(holds(exchanges.map(({ got }) => got))).toEqual(entered);
      expect(holds(exchanges.filter(({ path, status }) => status >= 400 || !/^\/v1\/(?:intake|shelter)\//.test(path)).map(({ path, got }) => `${path} ${got}`))).toEqual([]);
    });

    it('would be found in each of these places', async () => {
      await Promise.all(stack.replicas.map((replica) => replica.stop()));
      const [name, phone, note] = [story.planted[0]!, '600000917', 'Zibeline-note'];
      const pools = Object.fromEntries([...stack.urls].map(([service, { ownerUrl }]) => [service, openPool(ownerUrl, 1)]));
      const first = (table: string): string => `ctid = (SELECT ctid FROM ${table} LIMIT 1)`;
      await pools.intake!.query(`UPDATE sealed SET bytes = bytes || convert_to('${name}', 'UTF8') WHERE ${first('sealed')}`);
      await pools.referral!.query(`UPDATE event SET data = data || '{"name": "${name.toUpperCase()}"}' WHERE ${first('event')}`);
      await pools.referral!.query(`UPDATE idempotency SET key = '${phone}' WHERE ${first('idempotency')}`);
      await pools.shelter!.query(`UPDATE due SET payload = '{"note": "${note}"}' WHERE ${first('due')}`);
      await pools.health!.query(`UPDATE inbox_parked SET payload = convert_to('${Buffer.from(`x${phone}`).toString('base64')}', 'UTF8') WHERE ${first('inbox_parked')}`);
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
      await produce(stack.brokers!, 'referral.referral.v1', { key: 'x', headers: { 'ce_note': note }, value: '{}' });
      await produce(stack.brokers!, 'referral.referral.v1.health.dlt', { key: 'x', value: JSON.stringify({ bodyBase64: Buffer.from(name).toString('base64') }) });
      appendFileSync(join(stateDir, 'logs/intake-1.log'), `GET /cases?q=${[...Buffer.from(name)].map((byte) => `%${byte.toString(16)}`).join('')}\n`);
      appendFileSync(traceFile, `${JSON.stringify({ attributes: { note } })}\n`);
      const found = scan.searchAll(await dumpOf(stack, { metricsUrls: [`${partnerUrl}/metrics`] }));
      expect(found.map(({ where, planted, form }) => [where, planted, form]).sort()).toEqual([
        ['file logs/intake-1.log', name, 'percent'], ['file traces.ndjson', note, 'as it is'],
        ['table health.public.inbox_parked', phone, 'base64'], ['table intake.public.sealed', name, 'as it is'], ['table referral.public.event', name, 'as it is'],
        ['table referral.public.idempotency', phone, 'as it is'], ['table shelter.public.due', note, 'as it is'],
        ['topic referral.referral.v1', note, 'as it is'], ['topic referral.referral.v1.health.dlt', name, 'base64'], [`metrics ${partnerUrl}/metrics`, name, 'as it is'],
      ].sort());
    });
  });
});

describe('Alice over the Postgres bus, in one process', () => {
  let stateDir: string;
  let stack: Stack;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'amana-alice-'));
    stack = await Stack.start({ stateDir, bus: 'postgres', replicas: 0, durable: false, logLevel: 'error' });
  }, startWithinMs);

  afterAll(async () => {
    await stack?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is played to its end, all 61 steps, and leaves nothing that was told in confidence', async () => {
    expect(idsOf(await play(await worldOf(stack), () => undefined))).toEqual(allSteps);
    expect(allSteps).toHaveLength(61);
    expect(scan.searchAll(await dumpOf(stack))).toEqual([]);
  });
});

/** An event that no reader can use, so that there are dead letters to search. */
async function sendPoison(brokers: string): Promise<void> {
  const headers = { ce_specversion: '1.0', ce_id: randomUUID(), ce_source: '/amana/referral', ce_type: 'referral.accepted.v1', ce_time: new Date().toISOString(), 'content-type': 'application/json' };
  await produce(brokers, 'referral.referral.v1', { key: randomUUID(), headers, value: '{"unreadable":true}' });
}

async function produce(brokers: string, topic: string, message: { key: string; value: string; headers?: Record<string, string> }): Promise<void> {
  const producer = createKafka({ brokers: brokers.split(','), clientId: 'amana-stranger' }).producer();
  await producer.connect();
  await producer.send({ topic, messages: [message] });
  await producer.disconnect();
}
