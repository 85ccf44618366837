import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AgeBand, Sex } from '@amana/contracts';
import { type Dimension, type Dimensions, type Fact, valuesOf } from './counting.ts';
import { type Cell, oneWay, sum, twoWay } from './tables.ts';

const k = 5;
const runs = { seed: 11_202_212, numRuns: 60 };

/** Arithmetic modulo a large prime: what follows from known sums by adding and subtracting follows here too. */
const prime = 1_000_003n;
const inverse = (value: bigint): bigint => {
  let [result, base] = [1n, ((value % prime) + prime) % prime];
  for (let exponent = prime - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % prime;
    base = (base * base) % prime;
  }
  return result;
};

/** Known sums in reduced form; `follows` says whether another sum can be worked out from them. */
class Attacker {
  readonly #rows: { pivot: number; row: bigint[] }[] = [];

  learns(sumOf: readonly number[]): void {
    const row = this.#reduce(sumOf.map(BigInt));
    const pivot = row.findIndex((value) => value !== 0n);
    if (pivot < 0) return;
    const scale = inverse(row[pivot]!);
    this.#rows.push({ pivot, row: row.map((value) => (value * scale) % prime) });
  }

  follows(sumOf: readonly number[]): boolean {
    return this.#reduce(sumOf.map(BigInt)).every((value) => value === 0n);
  }

  #reduce(sumOf: bigint[]): bigint[] {
    let row = sumOf.map((value) => ((value % prime) + prime) % prime);
    for (const known of this.#rows) {
      const factor = row[known.pivot]!;
      if (factor !== 0n) row = row.map((value, index) => (((value - factor * known.row[index]!) % prime) + prime) % prime);
    }
    return row;
  }
}

const factsOf = fc.array(fc.record({ sex: fc.constantFrom(...Sex.options), ageBand: fc.constantFrom(...AgeBand.options), count: fc.oneof(fc.nat(3), fc.nat(20)) }), { minLength: 1, maxLength: 25 })
  .map((list) => list.map(({ sex, ageBand, count }): Fact => ({ dimensions: { sex, ageBand }, count })));

const places = valuesOf.sex.flatMap((sex) => valuesOf.ageBand.map((ageBand) => ({ sex, ageBand })));
/** Which of the finest counts a figure adds up. */
const spread = (dimensions: Dimensions): number[] => places.map((place) => (Object.entries(dimensions).every(([name, value]) => place[name as 'sex' | 'ageBand'] === value) ? 1 : 0));
const shown = (cells: readonly Cell[]) => cells.filter((cell): cell is Cell & { count: number } => cell.count !== 'suppressed');

describe('an attack on a table by subtraction', () => {
  it('works out no withheld figure, not even from all tables laid over each other', () => {
    fc.assert(fc.property(factsOf, (facts) => {
      if (sum(facts) < k) return;
      const tables = [oneWay('sex', facts, k), oneWay('ageBand', facts, k), twoWay(['sex', 'ageBand'], facts, k)];
      const attacker = new Attacker();
      attacker.learns(places.map(() => 1));
      for (const { dimensions, count } of tables.flatMap(shown)) {
        expect(count).toBeGreaterThanOrEqual(k);
        attacker.learns(spread(dimensions));
      }
      for (const cell of tables.flat()) if (cell.count === 'suppressed') expect([cell.dimensions, attacker.follows(spread(cell.dimensions))]).toEqual([cell.dimensions, false]);
    }), runs);
  });

  it('finds the same margins in a two-way table as in the one-way tables', () => {
    fc.assert(fc.property(factsOf, (facts) => {
      const both = new Map(twoWay(['sex', 'ageBand'], facts, k).map(({ dimensions, count }) => [JSON.stringify(dimensions), count]));
      for (const dimension of ['sex', 'ageBand'] satisfies Dimension[]) for (const cell of oneWay(dimension, facts, k)) expect(both.get(JSON.stringify(cell.dimensions))).toBe(cell.count);
    }), runs);
  });

  it('learns nothing of a table that is small as a whole', () => {
    const facts: Fact[] = [{ dimensions: { sex: 'female', ageBand: '18-24' }, count: 4 }];
    expect(shown([...oneWay('sex', facts, k), ...twoWay(['sex', 'ageBand'], facts, k)])).toEqual([]);
  });
});
