import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { type RunningRouter, startRouter } from './router.ts';

const started: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const running of started.splice(0).reverse()) await running.stop();
});

interface Replica { readonly url: string; readonly seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[]; stop(): Promise<void> }

/** A real upstream that tells its name and notes what reached it. */
async function replica(name: string, answer?: (request: IncomingMessage, response: ServerResponse) => void): Promise<Replica> {
  const seen: Replica['seen'] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk; }).on('end', () => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      if (answer) return answer(request, response);
      response.writeHead(200, { 'Content-Type': 'application/json', ETag: '"3"', traceparent: '00-a-b-01' });
      response.end(JSON.stringify({ from: name }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const running = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stop };
  started.push(running);
  return running;
}

/** An address where nothing listens: a port that was free a moment ago. */
async function nobody(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function router(upstreams: Record<string, string[]>): Promise<RunningRouter> {
  const running = await startRouter({ port: 0, upstreams, tokenUrl: 'http://127.0.0.1:9/token' });
  started.push(running);
  return running;
}

describe('the router', () => {
  it('answers 503 with Retry-After when every replica refuses the connection', async () => {
    const { url } = await router({ referral: [await nobody(), await nobody()] });
    const answer = await fetch(`${url}/v1/referral/referrals`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('amana-mode')).toBe('sandbox');
    expect(await answer.json()).toMatchObject({ code: 'upstream-unavailable', status: 503, errors: [] });
  });

  it('does not send a command twice when the connection is lost after it was sent', async () => {
    const dying = await replica('dying', (request) => request.socket.destroy());
    const other = await replica('other');
    const { url } = await router({ referral: [dying.url, other.url] });
    const answer = await fetch(`${url}/v1/referral/referrals`, { method: 'POST', body: '{"a":1}' });
    expect(answer.status).toBe(502);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: 'upstream-unavailable', status: 502 });
    expect(dying.seen).toHaveLength(1);
    expect(other.seen).toHaveLength(0);
  });

  it('answers 413 to a body over 1 MB, declared or chunked, and lets none of it through', async () => {
    const upstream = await replica('a');
    const { url } = await router({ intake: [upstream.url] });
    const tooLarge = 'x'.repeat(1_048_577);
    expect((await fetch(`${url}/v1/intake/x`, { method: 'POST', body: tooLarge })).status).toBe(413);
    const chunked = new ReadableStream({ start: (controller) => { controller.enqueue(Buffer.from(tooLarge)); controller.close(); } });
    const answer = await fetch(`${url}/v1/intake/x`, { method: 'POST', body: chunked, duplex: 'half' } as RequestInit);
    expect(await answer.json()).toMatchObject({ code: 'body-too-large' });
    expect(upstream.seen).toHaveLength(0);
    expect((await fetch(`${url}/v1/intake/x`, { method: 'POST', body: 'x'.repeat(1_048_576) })).status).toBe(200);
  });

  it('answers 404 to what is no service, and cuts an answer that was cut short', async () => {
    const broken = await replica('broken', (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half', () => response.destroy());
    });
    const { url } = await router({ intake: [broken.url] });
    for (const path of ['/', '/v1', '/v1/intakes/x', '/v1/nothing/x', '/fhir/x']) expect((await fetch(url + path)).status).toBe(404);
    await expect(fetch(`${url}/v1/intake/x`).then((answer) => answer.text())).rejects.toThrow();
  });

  it('passes over a replica that refuses the connection, also for a command, which arrives once', async () => {
    const alive = await replica('alive');
    const { url } = await router({ referral: [await nobody(), alive.url] });
    for (let count = 0; count < 4; count += 1) {
      const answer = await fetch(`${url}/v1/referral/referrals?x=1`, { method: 'POST', headers: { 'Idempotency-Key': `k${count}` }, body: '{"a":1}' });
      expect(await answer.json()).toEqual({ from: 'alive' });
    }
    expect(alive.seen.map(({ headers, body }) => [headers['idempotency-key'], body])).toEqual([0, 1, 2, 3].map((count) => [`k${count}`, '{"a":1}']));
    expect(alive.seen[0]).toMatchObject({ method: 'POST', url: '/v1/referral/referrals?x=1' });
  });

  it('asks another replica when a look-up loses its connection', async () => {
    const dying = await replica('dying', (request) => request.socket.destroy());
    const other = await replica('other');
    const { url } = await router({ referral: [dying.url, other.url] });
    expect(await (await fetch(`${url}/v1/referral/inbox`)).json()).toEqual({ from: 'other' });
    const lone = await router({ referral: [dying.url] });
    expect((await fetch(`${lone.url}/v1/referral/inbox`)).status).toBe(502);
  });

  it('takes the replicas in turn', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    const { url } = await router({ referral: [a.url, b.url] });
    const from: string[] = [];
    for (let count = 0; count < 6; count += 1) from.push((await (await fetch(`${url}/v1/referral/x`)).json() as { from: string }).from);
    expect(from).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('lets no trace context and no caller address in, and no trace context out', async () => {
    const upstream = await replica('a');
    const { url } = await router({ intake: [upstream.url] });
    const answer = await fetch(`${url}/v1/intake/x`, {
      headers: { traceparent: '00-1-2-01', tracestate: 'a=b', baggage: 'case=7', 'x-forwarded-for': '10.0.0.9', forwarded: 'for=10.0.0.9', authorization: 'Bearer abc', 'if-match': '"2"' },
    });
    const { headers } = upstream.seen[0]!;
    for (const name of ['traceparent', 'tracestate', 'baggage', 'x-forwarded-for', 'forwarded', 'via']) expect(headers).not.toHaveProperty(name);
    expect(headers).toMatchObject({ authorization: 'Bearer abc', 'if-match': '"2"' });
    expect(answer.headers.get('etag')).toBe('"3"');
    expect(answer.headers.get('traceparent')).toBeNull();
  });

  it('passes on no header that a caller names as its own hop\'s', async () => {
    const upstream = await replica('a');
    const { url } = await router({ intake: [upstream.url] });
    const request = httpRequest(`${url}/v1/intake/x`, { headers: { connection: 'x-mine', 'x-mine': '1', 'x-kept': '2' } }).end();
    await once(request, 'response');
    expect(upstream.seen[0]!.headers).not.toHaveProperty('x-mine');
    expect(upstream.seen[0]!.headers).toHaveProperty('x-kept', '2');
  });

  it('lists each service\'s document, the token URL and the issuer', async () => {
    const { url } = await router({ intake: [], referral: [] });
    const answer = await fetch(`${url}/v1/openapi.json`);
    expect(answer.headers.get('amana-mode')).toBe('sandbox');
    expect(await answer.json()).toEqual({
      documents: [{ service: 'intake', url: '/v1/intake/openapi.json' }, { service: 'referral', url: '/v1/referral/openapi.json' }],
      tokenUrl: 'http://127.0.0.1:9/token', issuer: 'http://127.0.0.1:9',
    });
    expect((await fetch(`${url}/v1/intake/x`)).status).toBe(503);
  });

  it('goes on when a caller hangs up in the middle of its body', async () => {
    const upstream = await replica('a');
    const { url } = await router({ intake: [upstream.url] });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /v1/intake/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    socket.destroy();
    await once(socket, 'close');
    expect(await (await fetch(`${url}/v1/intake/x`)).json()).toEqual({ from: 'a' });
    expect(upstream.seen).toHaveLength(1);
  });
});
