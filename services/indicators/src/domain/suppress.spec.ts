import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Count, suppress } from './suppress.ts';

const k = 3;
const runs = { seed: 20_231_231, numRuns: 400 };

const bundle = (values: readonly number[]): Count[] => [
  ...values.map((value, index) => ({ id: `c${index}`, from: 'source', to: 'sink', value })),
  { id: 'total', from: 'sink', to: 'source', value: values.reduce((all, value) => all + value, 0) },
];

const grid = (rows: readonly (readonly number[])[]): Count[] => {
  const columns = rows[0]!.map((_, column) => rows.reduce((all, row) => all + row[column]!, 0));
  const totals = rows.map((row) => row.reduce((all, value) => all + value, 0));
  return [
    ...totals.map((value, row) => ({ id: `r${row}`, from: 'source', to: `row${row}`, value })),
    ...rows.flatMap((row, r) => row.map((value, c) => ({ id: `${r},${c}`, from: `row${r}`, to: `column${c}`, value }))),
    ...columns.map((value, column) => ({ id: `k${column}`, from: `column${column}`, to: 'sink', value })),
    { id: 'total', from: 'sink', to: 'source', value: totals.reduce((all, value) => all + value, 0) },
  ];
};

const nodesOf = (counts: readonly Count[]): string[] => [...new Set(counts.flatMap(({ from, to }) => [from, to]))];
const balance = (counts: readonly Count[], node: string): number => counts.reduce((sum, { from, to, value }) => sum + (to === node ? value : 0) - (from === node ? value : 0), 0);

/** Tries tables near the true one that show the same figures and have no negative count; answers which withheld counts differ in one of them. */
function undecided(counts: readonly Count[], hidden: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const open = counts.filter(({ id }) => hidden.has(id));
  const nodes = nodesOf(counts);
  const tryFrom = (index: number, table: Count[]): void => {
    if (index === open.length) {
      if (nodes.every((node) => balance(table, node) === 0)) for (const count of counts) if (table.find(({ id }) => id === count.id)!.value !== count.value) found.add(count.id);
      return;
    }
    const { id } = open[index]!;
    for (const step of [-1, 0, 1]) {
      const at = table.findIndex((count) => count.id === id);
      const value = table[at]!.value + step;
      if (value < 0) continue;
      const next = table.with(at, { ...table[at]!, value });
      // A node whose withheld counts are all tried must balance already.
      const later = open.slice(index + 1);
      const done = nodes.filter((node) => !later.some(({ from, to }) => from === node || to === node));
      if (done.every((node) => balance(next, node) === 0)) tryFrom(index + 1, next);
    }
  };
  tryFrom(0, [...counts]);
  return found;
}

const expectSafe = (counts: readonly Count[]): void => {
  const hidden = suppress({ counts, kept: new Set(['total']) }, k);
  for (const { id, value } of counts) if (!hidden.has(id)) expect(value).toBeGreaterThanOrEqual(k);
  if (hidden.has('total')) return;
  expect(undecided(counts, hidden)).toEqual(hidden);
};

describe('suppression', () => {
  it('shows nothing at all of a table whose total is small', () => {
    expect(suppress({ counts: bundle([1, 1]), kept: new Set(['total']) }, k).size).toBe(3);
  });

  it('withholds a second count where the only small one could be subtracted', () => {
    expect(suppress({ counts: bundle([20, 9, 2]), kept: new Set(['total']) }, k)).toEqual(new Set(['c1', 'c2']));
  });

  it('withholds the one large count that would tell that all others are empty', () => {
    expect(suppress({ counts: bundle([39, 0, 0]), kept: new Set(['total']) }, k)).toEqual(new Set(['c0', 'c1', 'c2']));
  });

  it('withholds more where the small ones together are still few', () => {
    expect(suppress({ counts: bundle([10, 8, 1, 1]), kept: new Set(['total']) }, k)).toEqual(new Set(['c1', 'c2', 'c3']));
  });

  it('shows everything where nothing is small', () => {
    expect(suppress({ counts: grid([[5, 6], [7, 8]]), kept: new Set(['total']) }, k).size).toBe(0);
  });

  it('answers the same for the same table', () => {
    fc.assert(fc.property(fc.array(fc.nat(8), { minLength: 2, maxLength: 6 }), (values) => {
      expect(suppress({ counts: bundle(values), kept: new Set(['total']) }, k)).toEqual(suppress({ counts: bundle(values), kept: new Set(['total']) }, k));
    }), runs);
  });

  it('leaves every withheld count of a one-way table open', () => {
    fc.assert(fc.property(fc.array(fc.nat(8), { minLength: 2, maxLength: 5 }), (values) => expectSafe(bundle(values))), runs);
  });

  it('leaves every withheld count of a two-way table open, its margins too', () => {
    const row = fc.array(fc.oneof(fc.nat(3), fc.nat(9)), { minLength: 3, maxLength: 3 });
    fc.assert(fc.property(fc.array(row, { minLength: 2, maxLength: 2 }), (rows) => expectSafe(grid(rows))), { ...runs, numRuns: 120 });
  });

  it('leaves no line in which the withheld counts are too few together', () => {
    fc.assert(fc.property(fc.array(fc.nat(8), { minLength: 2, maxLength: 6 }), (values) => {
      const counts = bundle(values);
      const hidden = suppress({ counts, kept: new Set(['total']) }, k);
      const rest = counts.filter(({ id }) => id !== 'total' && hidden.has(id)).reduce((all, { value }) => all + value, 0);
      if (hidden.size > 0 && !hidden.has('total')) expect(rest).toBeGreaterThanOrEqual(k);
    }), runs);
  });
});
