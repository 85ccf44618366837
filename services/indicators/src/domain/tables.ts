import { type Dimension, type Dimensions, type Fact, valueOf, valuesOf } from './counting.ts';
import { type Count, suppress } from './suppress.ts';

/** One figure of a table: at which values it stands, and what it is, or that it is withheld. */
export interface Cell {
  readonly dimensions: Dimensions;
  readonly count: number | 'suppressed';
}

const total = 'total';
const idOf = (dimensions: Dimensions): string => JSON.stringify(dimensions);

/** A one-way table of these facts, suppressed at `k`. Nothing is shown where the total itself is under `k`. */
export function oneWay(dimension: Dimension, facts: readonly Fact[], k: number): Cell[] {
  const margin = marginOf(dimension, facts, k);
  return margin.counts.map(({ dimensions, value }) => ({ dimensions, count: margin.hidden.has(idOf(dimensions)) ? 'suppressed' : value }));
}

/**
 * A two-way table of these facts with its margins, suppressed at `k`. Its margins withhold exactly what the one-way tables
 * withhold: laid over each other, the tables tell no more than each alone.
 */
export function twoWay([rows, columns]: readonly [Dimension, Dimension], facts: readonly Fact[], k: number): Cell[] {
  const margins = [marginOf(rows, facts, k), marginOf(columns, facts, k)] as const;
  const cells = valuesOf[rows].flatMap((row) => valuesOf[columns].map((column) => {
    const dimensions = { [rows]: row, [columns]: column };
    return { dimensions, row, column, value: sum(facts.filter((fact) => valueOf(rows, fact) === row && valueOf(columns, fact) === column)) };
  }));
  const counts: Count[] = [
    ...margins[0].counts.map(({ dimensions, value }) => ({ id: idOf(dimensions), from: 'source', to: `row:${dimensions[rows]}`, value })),
    ...cells.map(({ dimensions, row, column, value }) => ({ id: idOf(dimensions), from: `row:${row}`, to: `column:${column}`, value })),
    ...margins[1].counts.map(({ dimensions, value }) => ({ id: idOf(dimensions), from: `column:${dimensions[columns]}`, to: 'sink', value })),
    { id: total, from: 'sink', to: 'source', value: sum(facts) },
  ];
  const withheld = new Set([...margins[0].hidden, ...margins[1].hidden]);
  const shownMargins = [...margins[0].counts, ...margins[1].counts].map(({ dimensions }) => idOf(dimensions)).filter((id) => !withheld.has(id));
  const hidden = suppress({ counts, kept: new Set([total, ...shownMargins]), withheld }, k);
  return [...margins[0].counts, ...margins[1].counts, ...cells].map(({ dimensions, value }) => ({ dimensions, count: hidden.has(idOf(dimensions)) ? 'suppressed' : value }));
}

/** What all facts of one pair add up to. */
export function sum(facts: readonly Fact[]): number {
  return facts.reduce((all, fact) => all + fact.count, 0);
}

function marginOf(dimension: Dimension, facts: readonly Fact[], k: number): { counts: { dimensions: Dimensions; value: number }[]; hidden: Set<string> } {
  const counts = valuesOf[dimension].map((value) => ({ dimensions: { [dimension]: value }, value: sum(facts.filter((fact) => valueOf(dimension, fact) === value)) }));
  const bundle = counts.map(({ dimensions, value }): Count => ({ id: idOf(dimensions), from: 'source', to: 'sink', value }));
  const hidden = suppress({ counts: [...bundle, { id: total, from: 'sink', to: 'source', value: sum(facts) }], kept: new Set([total]) }, k);
  return { counts, hidden };
}
