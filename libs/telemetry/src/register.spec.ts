import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TraceLine } from './trace-file.ts';

const run = promisify(execFile);
const foreign = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const foreignTrace = foreign.slice(3, 35);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'traces-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a process that was started with the register file', () => {
  it('joins no trace that a request asks for, and sends none out', async () => {
    const { printed, spans } = await traced(`
      import http from 'node:http';
      import { once } from 'node:events';
      import { withSpan, currentTraceparent, setRoute } from '${moduleUrl('index.ts')}';
      const received = [];
      const partner = http.createServer((request, response) => { received.push(request.headers); response.end(); }).listen(0, '127.0.0.1');
      await once(partner, 'listening');
      const door = 'http://127.0.0.1:' + partner.address().port + '/hook?name=planted';
      const server = http.createServer(async (request, response) => {
        setRoute('GET /v1/referral/referrals/:id');
        await fetch(door);
        await once(http.get(door), 'response');
        response.end(currentTraceparent());
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const at = 'http://127.0.0.1:' + server.address().port;
      const inside = await (await fetch(at + '/v1/referral/referrals/planted?name=planted', { headers: { traceparent: '${foreign}', tracestate: 'a=planted', baggage: 'name=planted', 'user-agent': 'planted' } })).text();
      await fetch(at + '/v1/referral/health/live');
      console.log(JSON.stringify({ inside, received }));
      process.exit(0);`);
    const { inside, received } = printed as { inside: string; received: Record<string, string>[] };
    expect(received).toHaveLength(4);
    for (const headers of received) {
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(traceparent|tracestate|baggage|b3|x-b3-.*)$/)]));
    }
    const server = spans.find((span) => span.name === 'GET /v1/referral/referrals/:id');
    expect(server).toMatchObject({ kind: 'server', attributes: { 'http.route': '/v1/referral/referrals/:id', 'http.response.status_code': 200 } });
    expect(server!.parentSpanId).toBeUndefined();
    expect(inside).toBe(`00-${server!.traceId}-${server!.spanId}-01`);
    expect(spans.map((span) => span.traceId)).not.toContain(foreignTrace);
    expect(spans.filter((span) => span.name.includes('health'))).toEqual([]);
  });

  it('keeps query texts, values and messages of errors out, however pg was loaded', async () => {
    const { spans } = await traced(`
      import { createRequire } from 'node:module';
      import pg from 'pg';
      import { withSpan } from '${moduleUrl('index.ts')}';
      const required = createRequire(process.cwd() + '/x.js')('pg');
      const query = (Client) => {
        const client = new Client({ host: '127.0.0.1', port: 1, user: 'planted', database: 'amana_intake' });
        const asked = client.query({ name: 'find-person', text: "select 'planted'", values: ['planted'] });
        client.connect().catch(() => {});
        return asked.catch(() => {});
      };
      await withSpan('act', {}, async () => { await query(pg.Client); await query(required.Client); });
      await query(pg.Client);`);
    const queries = spans.filter((span) => span.name === 'pg.query:find-person amana_intake');
    const act = spans.find((span) => span.name === 'act');
    expect(queries).toHaveLength(2);
    for (const query of queries) {
      expect(query).toMatchObject({ traceId: act!.traceId, parentSpanId: act!.spanId, failed: true, attributes: { 'db.postgresql.plan': 'find-person', 'db.system.name': 'postgresql' } });
    }
  });

  it('sends each message on in the trace that was stored with it, and leaves consumers alone', async () => {
    const { printed, spans } = await traced(`
      import kafkajs from 'kafkajs';
      import { createRequire } from 'node:module';
      import { withSpan } from '${moduleUrl('index.ts')}';
      const untouched = createRequire(process.cwd() + '/x.js')('kafkajs/src/index.js').prototype.consumer;
      const producer = new kafkajs.Kafka({ brokers: ['127.0.0.1:1'], logLevel: 0 }).producer();
      const messages = [{ key: 'planted', value: 'planted', headers: { traceparent: '${foreign}' } }, { value: 'x', headers: { traceparent: Buffer.from('${foreign}') } }, { value: 'x' }];
      await withSpan('relay-batch', {}, () => producer.sendBatch({ topicMessages: [{ topic: 'referral.referral.v1', messages }] })).catch(() => {});
      const run = new kafkajs.Kafka({ brokers: ['127.0.0.1:1'], logLevel: 0 }).consumer({ groupId: 'g' }).run;
      console.log(JSON.stringify({ headers: messages.map(({ headers }) => headers.traceparent), wrapped: '__wrapped' in run, producerWrapped: '__wrapped' in producer.sendBatch, consumerWrapped: '__wrapped' in untouched }));`);
    const { headers, ...wrapped } = printed as { headers: string[] };
    const batch = spans.find((span) => span.name === 'relay-batch');
    const sent = spans.filter((span) => span.name === 'send referral.referral.v1');
    expect(sent.map((span) => span.traceId)).toEqual([foreignTrace, foreignTrace, batch!.traceId]);
    expect(sent[0]).toMatchObject({ kind: 'producer', parentSpanId: 'b7ad6b7169203331', failed: true });
    expect(headers).toEqual(sent.map((span) => `00-${span.traceId}-${span.spanId}-01`));
    expect(wrapped).toEqual({ wrapped: false, producerWrapped: true, consumerWrapped: false });
  });

  it('loads nothing of tracing when there is nowhere to send it, or when it is disabled', async () => {
    const script = `
      import http from 'node:http';
      console.log(JSON.stringify({ wrapped: '__wrapped' in http.Server.prototype.emit, started: Object.keys(globalThis[Symbol.for('opentelemetry.js.api.1')] ?? {}) }));`;
    for (const env of [{}, { AMANA_TRACE_FILE: join(folder, 'never'), OTEL_SDK_DISABLED: 'true' }]) {
      expect((await start(script, env)).printed).toEqual({ wrapped: false, started: [] });
    }
  });
});

/** Runs a script in a traced process; fails when any planted string got into its trace file. */
async function traced(script: string): Promise<{ printed: unknown; spans: TraceLine[] }> {
  const file = join(folder, `${Math.random()}.ndjson`);
  const { printed } = await start(script, { AMANA_TRACE_FILE: file, AMANA_SERVICE: 'intake' });
  const text = await readFile(file, 'utf8');
  expect(text).not.toMatch(/planted/i);
  return { printed, spans: text.trim().split('\n').map((line) => JSON.parse(line) as TraceLine) };
}

async function start(script: string, env: NodeJS.ProcessEnv): Promise<{ printed: unknown }> {
  const { stdout } = await run(process.execPath, ['--no-warnings', '--import', moduleUrl('register.ts'), '--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { PATH: process.env['PATH'], ...env },
    timeout: 20_000,
  });
  return { printed: stdout === '' ? undefined : JSON.parse(stdout) };
}

function moduleUrl(file: string): string {
  return new URL(file, import.meta.url).href;
}
