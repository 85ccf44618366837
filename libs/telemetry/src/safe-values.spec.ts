import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { filterFields, isSafe } from './safe-values.ts';
import type { ValueKind } from './safe-values.ts';

const kinds: readonly ValueKind[] = ['id', 'code', 'error-name', 'route', 'number', 'flag', 'time'];
const planted = ['Planted Name', 'planted@mail.example', '+212 600-000-000', '12 Planted Street', 'اسم مزروع', 'a\nb', '', ' '];

describe('values that may leave the process', () => {
  it('refuses names, addresses, phone numbers and sentences under every kind', () => {
    for (const kind of kinds) {
      for (const value of planted) expect([kind, value, isSafe(kind, value)]).toEqual([kind, value, false]);
    }
  });

  it('refuses anything with a space, and anything that is no plain value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.string(), fc.string(), (kind, left, right) => {
        expect(isSafe(kind, `${left} ${right}`)).toBe(false);
        for (const value of [{ left }, [left], null, undefined, () => left, Symbol(left), Number.NaN]) {
          expect(isSafe(kind, value)).toBe(false);
        }
      }),
      { seed: 20_261_124 },
    );
  });

  it('refuses a path that was really asked for as a route', () => {
    for (const path of ['/v1/referrals/3f2b8a44-58a0-4a63-9c9e-0b8f4c1d2e3f', '/v1/people/0600000000', '/v1/x?name=y', 'v1/x', '/v1/Planted']) {
      expect([path, isSafe('route', path)]).toEqual([path, false]);
    }
  });

  it('takes the ids, codes, routes and numbers of the work', () => {
    const good: readonly (readonly [ValueKind, unknown])[] = [
      ['id', '3f2b8a44-58a0-4a63-9c9e-0b8f4c1d2e3f'], ['id', 'AAAAAAAAAAAAAAAAAAAAAA'], ['id', 'req-1a'], ['id', '0af7651916cd43dd8448eb211c80319c'],
      ['code', 'referral.accepted.v1'], ['code', 'no_capacity'], ['code', 'on-bed-held'], ['code', 'ECONNREFUSED'], ['code', '40P01'], ['code', 'POST'],
      ['error-name', 'KafkaJSConnectionError'], ['error-name', '23505'], ['error-name', '500'], ['route', '/v1/referral/referrals/:id/acceptance'], ['route', '/'],
      ['number', 3.5], ['number', 7n], ['number', '9223372036854775807'], ['flag', false], ['time', '2026-11-24T10:00:00.000Z'], ['time', new Date(0)],
    ];
    for (const [kind, value] of good) expect([kind, value, isSafe(kind, value)]).toEqual([kind, value, true]);
  });

  it('keeps declared fields only, and counts the rest', () => {
    const { kept, dropped } = filterFields({ code: 'code', count: 'number' }, { code: 'ok', count: 2n, name: 'x', constructor: 'x', missing: undefined });
    expect(kept).toEqual({ code: 'ok', count: '2' });
    expect(dropped).toBe(2);
  });
});
