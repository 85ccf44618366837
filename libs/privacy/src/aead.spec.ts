import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { AeadError, decryptAead, deriveKey, encryptAead, macOf, NONCE_BYTES } from './aead.ts';

interface VectorFile<Test> {
  readonly numberOfTests: number;
  readonly testGroups: readonly { readonly tagSize: number; readonly tests: readonly Test[] }[];
}
interface Vector {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid';
}
type AeadVector = Vector & Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>;
type MacVector = Vector & Record<'key' | 'msg' | 'tag', string>;
type KdfVector = Vector & Record<'ikm' | 'salt' | 'info' | 'okm', string> & { readonly size: number };

const aesGcm = vectorsOf<AeadVector>('aes_gcm_test.json');
const hmac = vectorsOf<MacVector>('hmac_sha256_test.json');
const hkdf = vectorsOf<KdfVector>('hkdf_sha256_test.json');

describe('AES-256-GCM on published vectors', () => {
  it('refuses every altered or mis-sized case', () => {
    const refused = aesGcm.filter((test) => test.result === 'invalid' || hex(test.iv).length !== NONCE_BYTES);
    expect(refused).toHaveLength(66);
    for (const test of refused) {
      expect(() => decryptAead(inputOf(test), hex(test.ct + test.tag))).toThrow(AeadError);
    }
  });

  it('seals and opens every valid case with a 96-bit nonce, byte for byte', () => {
    const valid = aesGcm.filter((test) => test.result === 'valid' && hex(test.iv).length === NONCE_BYTES);
    expect(valid).toHaveLength(39);
    for (const test of valid) {
      expect(encryptAead(inputOf(test), hex(test.msg)).toString('hex')).toBe(test.ct + test.tag);
      expect(decryptAead(inputOf(test), hex(test.ct + test.tag)).toString('hex')).toBe(test.msg);
    }
  });
});

describe('HMAC-SHA256 on published vectors', () => {
  it('agrees with every valid tag and with no altered one', () => {
    expect(hmac).toHaveLength(174);
    for (const test of hmac) {
      const tag = hex(test.tag);
      const mac = macOf(hex(test.key), hex(test.msg)).subarray(0, tag.length);
      expect([test.tcId, timingSafeEqual(mac, tag)]).toEqual([test.tcId, test.result === 'valid']);
    }
  });
});

describe('HKDF-SHA256 on published vectors', () => {
  it('derives every valid key and refuses an output that is too long', () => {
    expect(hkdf).toHaveLength(86);
    for (const test of hkdf) {
      const derive = () =>
        deriveKey({ secret: hex(test.ikm), salt: hex(test.salt), info: hex(test.info), lengthBytes: test.size });
      if (test.result === 'valid') expect(derive().toString('hex')).toBe(test.okm);
      else expect(derive).toThrow();
    }
  });
});

function vectorsOf<Test>(name: string): Test[] {
  const text = readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as VectorFile<Test>).testGroups.flatMap((group) => group.tests);
}

function inputOf(test: AeadVector) {
  return { key: hex(test.key), nonce: hex(test.iv), aad: hex(test.aad) };
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
