import { AgeBand, Sex } from '@amana/contracts';

export const dimensionNames = ['sex', 'ageBand', 'region'] as const;
export type Dimension = (typeof dimensionNames)[number];
export type Dimensions = Readonly<Partial<Record<Dimension, string>>>;

/** Figures below these are withheld, zero among them: that nobody came is a statement too. */
export const least = { everybody: 11, network: 5 } as const;

/** How many facts stand at one place of a pair's table. */
export interface Fact {
  readonly dimensions: Dimensions;
  readonly count: number;
}

/** The pair that totals are counted from: each person gives one fact per pair, so all pairs together count her several times. */
export const totalsPair = 'sex+ageBand';

/** The pair of dimensions a fact is about, in a fixed order of names. */
export function pairOf(dimensions: Dimensions): string {
  return dimensionNames.filter((name) => dimensions[name] !== undefined).join('+');
}

/** The pair in which one or two dimensions are looked up; the one that totals are counted from, where it holds them. */
export function pairFor(by: readonly Dimension[]): string {
  if (by.length === 2) return dimensionNames.filter((name) => by.includes(name)).join('+');
  return by.includes('region') ? 'sex+region' : totalsPair;
}

/**
 * Every value a dimension may have: a value that nobody had must not be told apart from one that few had. Whatever else
 * arrives is counted under the last one.
 */
export const valuesOf: Readonly<Record<Dimension, readonly string[]>> = {
  sex: Sex.options,
  ageBand: [...AgeBand.options, 'unknown'],
  region: [...Array.from({ length: 12 }, (_, index) => `MA-${String(index + 1).padStart(2, '0')}`), 'other'],
};

/** The value under which a fact is counted. */
export function valueOf(dimension: Dimension, fact: Fact): string {
  const value = fact.dimensions[dimension];
  const known = valuesOf[dimension];
  return value !== undefined && known.includes(value) ? value : known.at(-1)!;
}

/** The zone in which a month ends for the network. */
const monthHere = new Intl.DateTimeFormat('en-CA', { timeZone: 'Africa/Casablanca', year: 'numeric', month: '2-digit' });

/** The month now, in the network's zone, as `YYYY-MM`. */
export function currentMonth(now: Date): string {
  const parts = new Map(monthHere.formatToParts(now).map((part) => [part.type, part.value]));
  return `${parts.get('year')}-${parts.get('month')}`;
}

/** Told only after it has ended: until then each new figure would tell of the last person counted. */
export function isOver(month: string, now: Date): boolean {
  return month < currentMonth(now);
}

/** Months counted through, so that ranges can be compared and joined end to end. */
export function monthNumber(month: string): number {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return year * 12 + number - 1;
}
