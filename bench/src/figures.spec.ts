import { describe, expect, it } from '@jest/globals';
import { skippedFigure, tableOf, toFigure } from './figure.ts';
import { referralIdOf } from './referral-ids.ts';
import { median, percentile } from './statistics.ts';

const measured = { name: 'accept-over-http', unit: 'acts/s', reference: 'pgbench', value: 500, referenceValue: 2_000 };
const fields = ['name', 'value', 'unit', 'reference', 'referenceValue', 'ratio', 'bar', 'met'];

describe('a figure', () => {
  it('that misses its bar says so, on the ratio or on the value itself', () => {
    expect(toFigure({ ...measured, bar: { of: 'ratio', atLeast: 0.3 } })).toMatchObject({ ratio: 0.25, bar: 'ratio >= 0.3', met: false });
    expect(toFigure({ ...measured, bar: { of: 'value', atMost: 499 } })).toMatchObject({ bar: 'value <= 499', met: false });
  });

  it('is judged before it is rounded', () => {
    expect(toFigure({ ...measured, value: 599.97, bar: { of: 'ratio', atLeast: 0.3 } })).toMatchObject({ value: 600, ratio: 0.3, met: false });
  });

  it('that cannot be measured is neither met nor missed, and names the reason', () => {
    const skipped = skippedFigure({ ...measured, bar: { of: 'ratio', atLeast: 0.3 } }, 'pgbench is missing');
    expect(skipped).toMatchObject({ value: null, referenceValue: null, ratio: null, met: null, note: 'pgbench is missing' });
    expect(Object.keys(skipped)).toEqual([...fields, 'note']);
  });

  it('has no ratio where the reference is nothing', () => {
    expect(toFigure({ ...measured, referenceValue: 0, bar: { of: 'value', atMost: 501 } })).toMatchObject({ ratio: null, met: true });
  });

  it('is one line of JSON with the eight fields in their order', () => {
    const line = JSON.stringify(toFigure({ ...measured, bar: { of: 'ratio', atLeast: 0.2 } }));
    expect(line).not.toContain('\n');
    expect(Object.keys(JSON.parse(line) as object)).toEqual(fields);
  });

  it('stands in a table that ends with what was missed', () => {
    const table = tableOf([toFigure({ ...measured, bar: { of: 'ratio', atLeast: 0.3 } }), toFigure({ ...measured, name: 'other', bar: { of: 'ratio', atLeast: 0.2 } })]);
    expect(table).toMatch(/MISSED[\s\S]*1 of 2 bars missed\.$/);
  });
});

describe('the statistics', () => {
  it('take the middle, and the nearest rank that covers a share', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99), percentile([], 0.5)]).toEqual([50, 99, 7, Number.NaN]);
  });
});

describe('the id of a seeded referral', () => {
  it('is a UUIDv4 that is the same each time and different for each number', () => {
    const ids = Array.from({ length: 100 }, (_, index) => referralIdOf(index));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(100);
    expect(referralIdOf(1)).toBe(ids[1]);
  });
});
