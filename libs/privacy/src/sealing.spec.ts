import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { open, seal, SealError } from './sealing.ts';
import type { SealPlace } from './sealing.ts';

const seed = 20_261_124;
const place: SealPlace = { table: 'sealed', column: 'identity', caseId: 'case-1', keyVersion: 1, schema: 'identity.v1' };
const dek = Buffer.alloc(32, 1);
const text = fc.string({ minLength: 1, maxLength: 20 }).filter((part) => !part.includes('|'));
const places = fc.record({ table: text, column: text, caseId: text, keyVersion: fc.nat(), schema: text });

describe('sealing', () => {
  it('refuses a sealed value with any one bit changed', () => {
    const sealed = seal({ dek, ...place, plaintext: 'she may be called after six' });
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const altered = Buffer.from(sealed);
        altered[bit >> 3] = altered[bit >> 3]! ^ (1 << (bit & 7));
        expect(() => open({ dek, ...place, sealed: altered })).toThrow(SealError);
      }),
      { seed },
    );
  });

  it('refuses a truncated or extended value, down to no byte at all', () => {
    const sealed = seal({ dek, ...place, plaintext: 'x' });
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => open({ dek, ...place, sealed: sealed.subarray(0, length) })).toThrow(SealError);
    }
    expect(() => open({ dek, ...place, sealed: Buffer.concat([sealed, Buffer.of(0)]) })).toThrow(SealError);
  });

  it('refuses a value moved to any other place, and opens it at its own', () => {
    fc.assert(
      fc.property(places, places, fc.uint8Array({ maxLength: 64 }), (here, there, plaintext) => {
        const sealed = seal({ dek, ...here, plaintext });
        expect(open({ dek, ...here, sealed })).toEqual(Buffer.from(plaintext));
        fc.pre(JSON.stringify(Object.values(here)) !== JSON.stringify(Object.values(there)));
        expect(() => open({ dek, ...there, sealed })).toThrow(SealError);
      }),
      { seed },
    );
  });

  it('refuses another case key, and a key that is too short', () => {
    const sealed = seal({ dek, ...place, plaintext: 'x' });
    expect(() => open({ dek: Buffer.alloc(32, 2), ...place, sealed })).toThrow(SealError);
    expect(() => seal({ dek: Buffer.alloc(16), ...place, plaintext: 'x' })).toThrow(SealError);
  });

  it('refuses a place whose parts could be read in two ways', () => {
    expect(() => seal({ dek, ...place, table: 'a|b', plaintext: 'x' })).toThrow(SealError);
    expect(() => seal({ dek, ...place, caseId: '', plaintext: 'x' })).toThrow(SealError);
  });

  it('says nothing of the content or the place when it refuses', () => {
    const sealed = seal({ dek, ...place, plaintext: 'planted-name' });
    const error = thrownBy(() => open({ dek, ...place, caseId: 'planted-case', sealed }));
    expect(JSON.stringify([error.message, error.stack, error])).not.toContain('planted');
  });

  it('never gives the same bytes twice and keeps the plaintext out of them', () => {
    const first = seal({ dek, ...place, plaintext: 'planted-name' });
    expect(first.equals(seal({ dek, ...place, plaintext: 'planted-name' }))).toBe(false);
    expect(first.includes('planted-name')).toBe(false);
  });
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
