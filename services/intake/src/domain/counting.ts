import type { AgeBand, Indicator, Sex } from '@amana/contracts';
import type { CaseEvent } from './case-events.ts';

/** Months are those of the network's own zone; it changes its offset in Ramadan, so the offset is always looked up. */
const zone = 'Africa/Casablanca';
const formatter = new Intl.DateTimeFormat('en-GB', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** What of a case decides whether and when it is counted. */
export interface Countable {
  readonly screening?: { readonly outcome: string; readonly reportingConsent: boolean };
  /** Seen to have happened, whether or not she may be counted. */
  readonly reached: readonly Indicator[];
  /** Counted here, or by the organisation that had the case before. */
  readonly counted: readonly Indicator[];
}

/**
 * What is to be counted now: each indicator once for a person, in the month in which all it needs was first true. Nobody
 * is counted who is not presumed to be a victim or who did not agree to be counted.
 */
export function dueCounts(state: Countable, now: Date): readonly CaseEvent[] {
  if (!state.screening?.reportingConsent) return [];
  const identified = state.screening.outcome === 'presumed' || state.counted.includes('identified');
  if (!identified) return [];
  const month = monthOf(now);
  return (['identified', ...state.reached] as Indicator[]).filter((indicator) => !state.counted.includes(indicator))
    .map((indicator) => ({ type: 'intake.count-noted.v1', data: { indicator, month } }));
}

/** A stay began or a consultation was completed: noted the first time, and counted if she may be. */
export function noteOutcome(state: Countable, indicator: Indicator, now: Date): readonly CaseEvent[] {
  if (state.reached.includes(indicator)) return [];
  return [{ type: 'intake.outcome-seen.v1', data: { indicator } }, ...dueCounts({ ...state, reached: [...state.reached, indicator] }, now)];
}

export type Dimensions = Readonly<Partial<Record<'sex' | 'ageBand' | 'region', string>>>;

/** One fact for each pair of dimensions: three together would say who she is. */
export function pairsOf(person: { readonly sex: Sex; readonly ageBand: AgeBand; readonly region: string }): readonly Dimensions[] {
  const { sex, ageBand, region } = person;
  return [{ sex, ageBand }, { sex, region }, { ageBand, region }];
}

/** The month of an instant in the network's zone, `YYYY-MM`. */
export function monthOf(at: Date): string {
  const local = localParts(at.getTime());
  return `${local.year}-${String(local.month).padStart(2, '0')}`;
}

/** The first instant after a month, in the network's zone: its facts leave then, and not before. */
export function endOfMonth(month: string): Date {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const midnight = Date.UTC(year, number, 1);
  // The offset that holds at local midnight: looked up twice, since the first guess may lie on the other side of a change.
  const guess = midnight - offsetMs(midnight);
  return new Date(midnight - offsetMs(guess));
}

function offsetMs(atMs: number): number {
  const local = localParts(atMs);
  return Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute) - Math.floor(atMs / 60_000) * 60_000;
}

function localParts(atMs: number): { year: number; month: number; day: number; hour: number; minute: number } {
  const parts = formatter.formatToParts(atMs);
  const numberOf = (type: string): number => Number(parts.find((part) => part.type === type)!.value);
  return { year: numberOf('year'), month: numberOf('month'), day: numberOf('day'), hour: numberOf('hour'), minute: numberOf('minute') };
}
