import { AgeBand, Sex } from '@amana/contracts';

export const dimensionNames = ['sex', 'ageBand', 'region'] as const;
export type Dimension = (typeof dimensionNames)[number];
export type Dimensions = Readonly<Partial<Record<Dimension, string>>>;

/** Facts of one pair of dimensions at one place of the table. */
export interface Fact {
  readonly month: string;
  readonly dimensions: Dimensions;
  readonly count: number;
}

/** The zone in which a month ends for the network. */
const zone = 'Africa/Casablanca';
const monthIn = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit' });

/**
 * Which pair of dimensions a fact is about. Each person gives one fact per pair, so that adding up pairs counts her
 * several times: one pair alone is added up for totals.
 */
export function pairOf(dimensions: Dimensions): string {
  return dimensionNames.filter((name) => dimensions[name] !== undefined).join('+');
}

/** The pair that totals are counted from. */
export const totalsPair = 'sex+ageBand';

/** The pair in which a dimension, or two, are looked up: one that totals use where it holds them. */
export function pairFor(by: readonly Dimension[]): string {
  const names = new Set(by);
  if (by.length === 2) return dimensionNames.filter((name) => names.has(name)).join('+');
  return names.has('region') ? 'sex+region' : totalsPair;
}

/** Every value a dimension may have, so that one that nobody had is not told apart from one that few had. Regions: those that occur. */
export function valuesOf(dimension: Dimension, facts: readonly Fact[]): string[] {
  if (dimension === 'sex') return [...Sex.options];
  if (dimension === 'ageBand') return [...AgeBand.options];
  return [...new Set(facts.flatMap((fact) => fact.dimensions.region ?? []))].sort();
}

/** The month now, in the network's zone, as `YYYY-MM`. */
export function currentMonth(now: Date): string {
  const parts = monthIn.formatToParts(now);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)!.value;
  return `${part('year')}-${part('month')}`;
}

/** A month may be told only after it has ended: until then each new figure would tell of the last person counted. */
export function isOver(month: string, now: Date): boolean {
  return month < currentMonth(now);
}

/** Months from year 0, so that ranges can be compared and joined end to end. */
export function monthNumber(month: string): number {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return year * 12 + number - 1;
}
