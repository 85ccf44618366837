import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mayBreakDown, mayShow, type MonthRange, openedBy } from './release.ts';

const k = 5;

/** All ranges whose totals an attacker has who adds and subtracts those that he was shown, until nothing new comes of it. */
function workedOut(shown: readonly MonthRange[]): MonthRange[] {
  const known = new Map(shown.map((range) => [`${range.from}-${range.to}`, range]));
  for (let before = -1; before !== known.size;) {
    before = known.size;
    const held = [...known.values()];
    for (const one of held) {
      for (const other of held) {
        const found = [
          ...(one.to + 1 === other.from ? [{ from: one.from, to: other.to }] : []),
          ...(one.from === other.from && one.to < other.to ? [{ from: one.to + 1, to: other.to }] : []),
          ...(one.to === other.to && one.from > other.from ? [{ from: other.from, to: one.from - 1 }] : []),
        ];
        for (const range of found) known.set(`${range.from}-${range.to}`, range);
      }
    }
  }
  return [...known.values()];
}

describe('an attack on totals by asking for ranges of months', () => {
  const asks = fc.record({
    counts: fc.array(fc.oneof(fc.nat(2), fc.nat(12)), { minLength: 3, maxLength: 15 }),
    asked: fc.array(fc.tuple(fc.nat(14), fc.nat(14)), { minLength: 1, maxLength: 12 }),
  });

  it('works out no total below the least, whatever is asked in whatever order', () => {
    fc.assert(fc.property(asks, ({ counts, asked }) => {
      const countIn = ({ from, to }: MonthRange) => counts.slice(from, to + 1).reduce((all, count) => all + count, 0);
      const released: MonthRange[] = [];
      for (const [a, b] of asked) {
        const range = { from: Math.min(a, b) % counts.length, to: Math.max(a, b) % counts.length };
        if (range.to < range.from || !mayShow(range, { released, countIn, k })) continue;
        released.push(range);
      }
      for (const range of workedOut(released)) expect(countIn(range)).toBeGreaterThanOrEqual(k);
    }), { seed: 11_202_212, numRuns: 300 });
  });

  it('is refused a range that differs from one it has by two persons', () => {
    const counts = [6, 2, 7];
    const countIn = ({ from, to }: MonthRange) => counts.slice(from, to + 1).reduce((all, count) => all + count, 0);
    expect(mayShow({ from: 0, to: 1 }, { released: [{ from: 0, to: 0 }], countIn, k })).toBe(false);
    expect(mayShow({ from: 0, to: 2 }, { released: [{ from: 0, to: 0 }], countIn, k })).toBe(true);
  });

  it('may ask again for what it knows already', () => {
    const known = [{ from: 0, to: 3 }, { from: 4, to: 6 }];
    expect(openedBy({ from: 0, to: 6 }, known)).toEqual([]);
    expect(openedBy({ from: 4, to: 6 }, known)).toEqual([]);
  });

  it('is given no second breakdown that overlaps the first', () => {
    expect(mayBreakDown({ from: 0, to: 4 }, [{ from: 0, to: 3 }])).toBe(false);
    expect(mayBreakDown({ from: 0, to: 3 }, [{ from: 0, to: 3 }])).toBe(true);
    expect(mayBreakDown({ from: 4, to: 6 }, [{ from: 0, to: 3 }])).toBe(true);
  });
});
