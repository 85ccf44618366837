import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLocalKeyring } from '@amana/privacy';
import { Keys } from '@amana/service';
import { request } from 'undici';
import { DeliverySettings } from './delivery-settings.ts';
import { bodyOf, guardedAgent, WebhookSender } from './webhook-sender.ts';
import { WebhookSignatures } from './webhook-signatures.ts';

const now = new Date('2024-01-01T00:00:00.000Z');
const message = {
  webhookId: '6f1d2c3b-4a5e-4f60-9b8a-7c6d5e4f3a2b', scheme: 'v1a' as const, messageId: '3a1f0c52-9d0e-4f0b-8a8e-5a0f3c2d1b4e', itemId: '0c0f9a4e-2b7d-4d3e-9a55-1d2e3f4a5b6c', notedAt: '2023-12-31T10:00:00.000Z',
};

let folder: string;
let server: Server;
let base: string;
let sender: WebhookSender;
const received: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];

/** A receiver whose path says how it answers: `/302`, `/429?120`, `/hang`. */
beforeAll(async () => {
  server = createServer((incoming, reply) => {
    let body = '';
    incoming.on('data', (part: Buffer) => { body += part.toString(); }).on('end', () => {
      const [path, query] = incoming.url!.split('?') as [string, string?];
      received.push({ path, headers: incoming.headers, body });
      if (path === '/hang') return;
      const status = Number(path.slice(1));
      reply.writeHead(status, { ...(query ? { 'retry-after': query } : {}), ...(status === 302 ? { location: '/200' } : {}) }).end('x'.repeat(100_000));
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'amana-sender-'));
  const keys = new Keys(await openLocalKeyring(join(folder, 'keyring')));
  sender = new WebhookSender(new DeliverySettings({ allowLoopback: true, timeoutMs: 300 }), new WebhookSignatures(keys));
});

afterAll(async () => {
  await sender.onModuleDestroy();
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
  await rm(folder, { recursive: true });
});

const sendTo = (url: string) => sender.send({ ...message, url }, now);

describe('sending a webhook', () => {
  it.each(['https://127.0.0.1/', 'https://10.0.0.1/', 'http://169.254.169.254/', 'https://user:secret@partner.org/', 'not a url'])('does not call %s', async (url) => {
    expect(await sendTo(url)).toEqual({ kind: 'failed', reasonCode: 'address-refused' });
  });

  it('does not call this machine outside the sandbox', async () => {
    const strict = new WebhookSender(new DeliverySettings(), undefined as never);
    const before = received.length;
    expect(await strict.send({ ...message, url: `${base}/200` }, now)).toEqual({ kind: 'failed', reasonCode: 'address-refused' });
    expect(received).toHaveLength(before);
    await strict.onModuleDestroy();
  });

  it('follows no redirect: it is a failure', async () => {
    const before = received.length;
    expect(await sendTo(`${base}/302`)).toMatchObject({ kind: 'failed', reasonCode: 'redirect', status: 302 });
    expect(received.slice(before).map(({ path }) => path)).toEqual(['/302']);
  });

  it('learns from 410 that the receiver is gone', async () => expect(await sendTo(`${base}/410`)).toEqual({ kind: 'gone', status: 410 }));

  it('hears how long the receiver wants to be left alone', async () => {
    expect(await sendTo(`${base}/429?120`)).toMatchObject({ kind: 'failed', reasonCode: 'refused', retryAfterMs: 120_000 });
    expect(await sendTo(`${base}/503?Mon,%2001%20Jan%202024%2000:10:00%20GMT`)).toMatchObject({ reasonCode: 'server-error' });
  });

  it('gives up waiting after its time', async () => expect(await sendTo(`${base}/hang`)).toEqual({ kind: 'failed', reasonCode: 'timeout' }));

  it('says that nobody listens', async () => expect(await sendTo('http://127.0.0.1:1/')).toEqual({ kind: 'failed', reasonCode: 'connection' }));

  it('sends one neutral type, an id, and not one header more than it names', async () => {
    expect(await sendTo(`${base}/204`)).toEqual({ kind: 'delivered', status: 204 });
    const { headers, body } = received.at(-1)!;
    expect(JSON.parse(body)).toEqual({ type: 'item.changed', timestamp: message.notedAt, data: { itemId: message.itemId } });
    expect(body).toBe(bodyOf(message));
    expect(Object.keys(headers).sort()).toEqual(['connection', 'content-length', 'content-type', 'host', 'user-agent', 'webhook-id', 'webhook-signature', 'webhook-timestamp']);
    for (const traced of ['traceparent', 'tracestate', 'baggage', 'b3']) expect(headers[traced]).toBeUndefined();
    expect(headers['webhook-id']).toBe(message.messageId);
    expect(headers['webhook-timestamp']).toBe('1704067200');
  });
});

describe('the agent behind it', () => {
  it('refuses a name that resolves to this machine, at the moment of connecting', async () => {
    for (const address of ['127.0.0.1', '::1', '10.1.2.3', '169.254.169.254', '64:ff9b::7f00:1']) {
      const agent = guardedAgent({ allowLoopback: true, timeoutMs: 300, resolve: () => Promise.resolve([{ address, family: address.includes(':') ? 6 : 4 }]) });
      await expect(request('https://rebinding.partner.org/', { dispatcher: agent })).rejects.toMatchObject({ code: 'address-refused' });
      await agent.destroy();
    }
  });

  it('refuses http to any name that leads off this machine, in the sandbox too', async () => {
    const agent = guardedAgent({ allowLoopback: true, timeoutMs: 300, resolve: () => Promise.resolve([{ address: '93.184.215.14', family: 4 }]) });
    await expect(request('http://localhost/', { dispatcher: agent })).rejects.toMatchObject({ code: 'address-refused' });
    await agent.destroy();
  });
});
