/** What a figure must reach: a bound on the measured value itself or on its ratio to the reference. */
export interface Bar {
  readonly of: 'value' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** One measured figure beside a reference that was taken in the same run; printed as one JSON line. */
export interface Figure {
  readonly name: string;
  /** The median over the runs, or null where it could not be measured here. */
  readonly value: number | null;
  readonly unit: string;
  readonly reference: string;
  readonly referenceValue: number | null;
  /** `value / referenceValue`. */
  readonly ratio: number | null;
  readonly bar: string;
  /** Null: not measured, so neither reached nor missed. */
  readonly met: boolean | null;
  /** Why it was not measured, or what a reader should know beside it. */
  readonly note?: string;
}

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: string;
  readonly referenceValue: number;
  readonly bar: Bar;
  readonly note?: string;
}

/** Judges a measurement by its bar. Figures are rounded to four digits only after they were judged. */
export function toFigure({ bar, value, referenceValue, note, ...rest }: Measurement): Figure {
  const ratio = referenceValue === 0 ? null : value / referenceValue;
  const judged = bar.of === 'value' ? value : ratio;
  const met = judged === null ? null : judged >= (bar.atLeast ?? -Infinity) && judged <= (bar.atMost ?? Infinity);
  return {
    name: rest.name, value: round(value), unit: rest.unit, reference: rest.reference, referenceValue: round(referenceValue),
    ratio: ratio === null ? null : round(ratio), bar: textOf(bar), met, ...(note === undefined ? {} : { note }),
  };
}

/** A figure that this machine cannot measure: it says why instead of passing silently. */
export function skippedFigure(figure: Pick<Measurement, 'name' | 'unit' | 'reference' | 'bar'>, note: string): Figure {
  const { name, unit, reference, bar } = figure;
  return { name, value: null, unit, reference, referenceValue: null, ratio: null, bar: textOf(bar), met: null, note };
}

/** The figures as a table for people, with a last line that counts what was missed. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name, amount(figure.value, figure.unit), amount(figure.referenceValue, figure.unit), figure.ratio === null ? '-' : String(figure.ratio),
    figure.bar, figure.met === null ? 'not measured' : figure.met ? 'met' : 'MISSED',
  ]);
  const table = [['figure', 'value', 'reference', 'ratio', 'bar', ''], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd());
  const references = figures.map((figure) => `${figure.name}: beside ${figure.reference}${figure.note === undefined ? '' : `. ${figure.note}`}`);
  const missed = figures.filter((figure) => figure.met === false).length;
  return [...lines, '', ...references, '', missed === 0 ? 'No bar was missed.' : `${missed} of ${figures.length} bars missed.`].join('\n');
}

function amount(value: number | null, unit: string): string {
  return value === null ? '-' : `${value} ${unit}`;
}

function textOf({ of, atLeast, atMost }: Bar): string {
  return [atLeast === undefined ? [] : `${of} >= ${atLeast}`, atMost === undefined ? [] : `${of} <= ${atMost}`].flat().join(' and ');
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
