import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { signingKeyFromJwk, signingKeyFromSeed, thumbprint, verifySignature } from './ed25519.ts';
import type { Ed25519PublicJwk } from './ed25519.ts';

interface VectorFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly { tcId: number; msg: string; sig: string; result: 'valid' | 'invalid' }[];
  }[];
}

const { testGroups } = JSON.parse(
  readFileSync(new URL('../vectors/ed25519_test.json', import.meta.url), 'utf8'),
) as VectorFile;

describe('Ed25519', () => {
  it('refuses every altered signature of the published vectors and takes every valid one', () => {
    let checked = 0;
    for (const { publicKey, tests } of testGroups) {
      const jwk = jwkOf(Buffer.from(publicKey.pk, 'hex'));
      for (const { tcId, msg, sig, result } of tests) {
        const verdict = verifySignature(jwk, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'));
        expect([tcId, verdict]).toEqual([tcId, result === 'valid']);
        checked += 1;
      }
    }
    expect(checked).toBe(151);
  });

  it('refuses a seed of another length and a key of another kind', () => {
    expect(() => signingKeyFromSeed(Buffer.alloc(31))).toThrow(RangeError);
    expect(() => signingKeyFromJwk({ kty: 'oct', k: 'AAAA' })).toThrow();
  });

  it('answers false, and throws nothing, for a public key that is no key', () => {
    expect(verifySignature(jwkOf(Buffer.alloc(3)), Buffer.from('x'), Buffer.alloc(64))).toBe(false);
  });

  it('signs what its own public key verifies, and names the key by its thumbprint', () => {
    const key = signingKeyFromSeed(Buffer.alloc(32, 7));
    const bytes = Buffer.from('a checkpoint');
    expect(verifySignature(key.jwk, bytes, key.sign(bytes))).toBe(true);
    expect(verifySignature(key.jwk, Buffer.from('another'), key.sign(bytes))).toBe(false);
    expect(key.kid).toBe(thumbprint(key.jwk));
  });

  it('gives the thumbprint that RFC 8037 publishes for its example key', () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
    expect(thumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    expect(signingKeyFromJwk({ ...jwk, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' }).kid).toBe(thumbprint(jwk));
  });
});

function jwkOf(raw: Buffer): Ed25519PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
}
