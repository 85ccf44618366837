import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openLocalKeyring, verifySignature } from '@amana/privacy';
import { Keys } from '@amana/service';
import { Webhook } from 'standardwebhooks';
import { contentOf, signV1, WebhookSignatures } from './webhook-signatures.ts';

interface Vectors {
  sign: { name: string; secret: string; id: string; timestamp: number; body: string; expectHeader: string }[];
  verify: { name: string; secret: string; now: number; headers: Record<string, string>; body: string; expect: 'valid' | 'invalid' | 'secret-refused'; ignoreTimestampTolerance?: boolean }[];
}

const vectors = JSON.parse(await readFile(new URL('../vectors/standard-webhooks.json', import.meta.url), 'utf8')) as Vectors;
const message = { id: '3a1f0c52-9d0e-4f0b-8a8e-5a0f3c2d1b4e', timestampS: 1_700_000_000, body: '{"type":"item.changed"}' };
const webhookId = '6f1d2c3b-4a5e-4f60-9b8a-7c6d5e4f3a2b';

let folder: string;
let signatures: WebhookSignatures;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'amana-webhooks-'));
  signatures = new WebhookSignatures(new Keys(await openLocalKeyring(join(folder, 'keyring'))));
});
afterAll(() => rm(folder, { recursive: true }));

/** A receiver that keeps to the standard: ours is checked by another's code. */
function verdictOf(vector: Vectors['verify'][number]): string {
  let webhook: Webhook;
  try {
    webhook = new Webhook(vector.secret);
  } catch {
    return 'secret-refused';
  }
  const headers = Object.fromEntries(Object.entries(vector.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const now = vector.ignoreTimestampTolerance && headers['webhook-timestamp'] ? Number(headers['webhook-timestamp']) : vector.now;
  jest.useFakeTimers({ now: now * 1_000 });
  try {
    webhook.verify(vector.body, vector.headers, { jsonParse: false });
    return 'valid';
  } catch {
    return 'invalid';
  } finally {
    jest.useRealTimers();
  }
}

describe('a webhook signed with a shared secret (v1)', () => {
  it('is not signed with an empty secret', () => expect(() => signV1(message, 'whsec_')).toThrow());

  it.each(vectors.sign)('has the signature of the published vector: $name', ({ secret, id, timestamp, body, expectHeader }) => {
    expect(signV1({ id, timestampS: timestamp, body }, secret)).toBe(expectHeader);
  });

  it.each(vectors.verify)('meets a receiver who keeps to the published vector: $name', (vector) => {
    expect(verdictOf(vector)).toBe(vector.expect);
  });

  it('is accepted by a receiver who holds the secret, and by nobody who holds another webhook\'s', async () => {
    const signature = await signatures.sign(message, { scheme: 'v1', webhookId });
    const headers = { 'webhook-id': message.id, 'webhook-timestamp': String(message.timestampS), 'webhook-signature': signature };
    jest.useFakeTimers({ now: message.timestampS * 1_000 });
    try {
      expect(new Webhook(signatures.secretOf(webhookId)).verify(message.body, headers)).toEqual({ type: 'item.changed' });
      expect(() => new Webhook(signatures.secretOf(message.id)).verify(message.body, headers)).toThrow();
    } finally {
      jest.useRealTimers();
    }
  });

  it('has the same secret whenever it is asked for, of 32 bytes', () => {
    expect(signatures.secretOf(webhookId)).toBe(signatures.secretOf(webhookId));
    expect(Buffer.from(signatures.secretOf(webhookId).slice('whsec_'.length), 'base64')).toHaveLength(32);
  });
});

describe('a webhook signed with our key (v1a)', () => {
  const jwkOf = async () => { const [key] = await signatures.publicKeys(); return { kty: key!.kty, crv: key!.crv, x: key!.x }; };
  const bytesOf = (signature: string) => Buffer.from(signature.slice('v1a,'.length), 'base64');

  it('is refused by whoever checks it when id, time or body differ', async () => {
    const signature = bytesOf(await signatures.sign(message, { scheme: 'v1a', webhookId }));
    for (const changed of [{ ...message, id: 'other' }, { ...message, timestampS: message.timestampS + 1 }, { ...message, body: `${message.body} ` }]) {
      expect(verifySignature(await jwkOf(), contentOf(changed), signature)).toBe(false);
    }
  });

  it('is checked with the public key that is answered, in either way of writing it', async () => {
    const signature = await signatures.sign(message, { scheme: 'v1a', webhookId });
    expect(signature).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
    expect(verifySignature(await jwkOf(), contentOf(message), bytesOf(signature))).toBe(true);
    const [key] = await signatures.publicKeys();
    expect(Buffer.from(key!.whpk.slice('whpk_'.length), 'base64')).toEqual(Buffer.from(key!.x, 'base64url'));
  });

  it('signs the id, the time and the exact body, joined by dots', () => expect(contentOf(message).toString('utf8')).toBe(`${message.id}.1700000000.${message.body}`));
});
