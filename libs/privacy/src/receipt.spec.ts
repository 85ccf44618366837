import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signingKeyFromSeed } from './ed25519.ts';
import { receiptKeyFromJwk, signReceipt, verifyReceipt } from './receipt.ts';
import type { ConsentReceipt, ReceiptKey } from './receipt.ts';

const claims: ConsentReceipt = {
  jti: '5f0a2f63-1c7d-4f0e-9a35-7d1b7c0e4a21',
  ver: 1,
  iss: '6a1f0c52-4b8e-4a35-9d7a-2f1f6d8f0a11',
  recipient: 'b0c4d8e2-93a7-4f16-8e5d-1a2b3c4d5e6f',
  categories: ['identity', 'health-general'],
  purpose: 'service',
  iat: 1_764_000_000,
  exp: 1_764_086_400,
  lang: 'ar',
};
const now = new Date(1_764_000_100_000);
const typ = 'amana-consent-receipt+jwt';
const signingKey = signingKeyFromSeed(Buffer.alloc(32, 9));
const key: ReceiptKey = { kid: signingKey.kid, sign: async (bytes) => signingKey.sign(bytes) };
const keys = new Map<string, JWK>([[signingKey.kid, { ...signingKey.jwk }]]);
let receipt: string;

beforeAll(async () => {
  receipt = await signReceipt(claims, key);
});

describe('a consent receipt', () => {
  it('is refused when it was altered anywhere', async () => {
    const parts = receipt.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claims, categories: ['hiv'] })).toString('base64url');
    expect(await verifyReceipt([parts[0], forged, parts[2]].join('.'), { keys, now })).toEqual(refused('bad-signature'));
    expect(await verifyReceipt([parts[0], parts[1], 'AAAA'].join('.'), { keys, now })).toEqual(refused('bad-signature'));
  });

  it('is refused when another key signed it under the right name', async () => {
    const thief = signingKeyFromSeed(Buffer.alloc(32, 8));
    const stolen = await signReceipt(claims, { kid: key.kid, sign: async (bytes) => thief.sign(bytes) });
    expect(await verifyReceipt(stolen, { keys, now })).toEqual(refused('bad-signature'));
  });

  it('names the key it needs when that key is not known yet', async () => {
    expect(await verifyReceipt(receipt, { keys: new Map(), now })).toEqual({ ok: false, reason: 'unknown-key', kid: key.kid });
  });

  it('is refused from the second of its expiry on, and not before', async () => {
    expect(await verifyReceipt(receipt, { keys, now: new Date(claims.exp * 1_000) })).toEqual(refused('expired'));
    expect((await verifyReceipt(receipt, { keys, now: new Date(claims.exp * 1_000 - 1) })).ok).toBe(true);
  });

  it('is refused when its header brings a key, a place of keys, another type or no algorithm', async () => {
    const thief = signingKeyFromSeed(Buffer.alloc(32, 8));
    const good = { alg: 'EdDSA', typ, kid: key.kid };
    for (const header of [
      { ...good, jwk: thief.jwk }, { ...good, jku: 'https://keys.example/' }, { ...good, x5u: 'https://keys.example/' },
      { ...good, x5c: ['AAAA'] }, { ...good, crit: ['b64'], b64: true }, { ...good, typ: 'JWT' }, { alg: 'EdDSA', kid: key.kid },
      { ...good, alg: 'none' }, { ...good, alg: 'HS256' }, { ...good, alg: 'Ed25519' }, { alg: 'EdDSA', typ }, { ...good, kid: '../a b' },
    ]) {
      const signed = `${encode(header)}.${encode(claims)}`;
      const forged = `${signed}.${thief.sign(Buffer.from(signed)).toString('base64url')}`;
      expect([header, await verifyReceipt(forged, { keys, now })]).toEqual([header, refused('malformed')]);
    }
  });

  it('is refused when the public key was used as a shared secret', async () => {
    const secret = Buffer.from(JSON.stringify(signingKey.jwk));
    const forged = await new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'HS256', typ, kid: key.kid }).sign(secret);
    expect(await verifyReceipt(forged, { keys, now })).toEqual(refused('malformed'));
  });

  it('is refused under a known name that belongs to another kind of key', async () => {
    const { publicKey } = await generateKeyPair('ES256');
    const wrongKind = new Map([[key.kid, await exportJWK(publicKey)]]);
    expect(await verifyReceipt(receipt, { keys: wrongKind, now })).toEqual(refused('bad-signature'));
  });

  it('is refused when what was signed is no receipt', async () => {
    for (const payload of [{ ...claims, categories: [] }, { ...claims, exp: claims.iat }, { ...claims, purpose: 'research' }, { jti: 'x' }, 'text']) {
      const signed = `${encode({ alg: 'EdDSA', typ, kid: key.kid })}.${encode(payload)}`;
      const forged = `${signed}.${signingKey.sign(Buffer.from(signed)).toString('base64url')}`;
      expect(await verifyReceipt(forged, { keys, now })).toEqual(refused('malformed'));
    }
    for (const text of ['', 'a.b', 'a.b.c', `${receipt}.x`, 'A'.repeat(9_000)]) {
      expect(await verifyReceipt(text, { keys, now })).toEqual(refused('malformed'));
    }
  });

  it('cannot be issued with claims that no verifier would take', async () => {
    await expect(signReceipt({ ...claims, exp: claims.iat }, key)).rejects.toThrow();
    await expect(signReceipt({ ...claims, categories: ['Free Text'] }, key)).rejects.toThrow();
  });

  it('gives its claims back when it is genuine and live', async () => {
    expect(await verifyReceipt(receipt, { keys, now })).toEqual({ ok: true, claims });
  });

  it('can be signed with a private JWK', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
    const issuer = receiptKeyFromJwk({ ...(await exportJWK(privateKey)), kid: 'test-key' });
    const signed = await signReceipt(claims, issuer);
    const known = new Map([['test-key', await exportJWK(publicKey)]]);
    expect((await verifyReceipt(signed, { keys: known, now })).ok).toBe(true);
  });
});

function refused(reason: string) {
  return { ok: false, reason };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
