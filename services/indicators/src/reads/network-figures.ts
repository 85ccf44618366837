import { Controller } from '@nestjs/common';
import { Indicator, Month, Refusal } from '@amana/contracts';
import { Clock, type Row, type Statement } from '@amana/persistence';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { type Dimension, dimensionNames, type Dimensions, type Fact, isOver, least, monthNumber, pairFor, totalsPair } from '../domain/counting.ts';
import { mayBreakDown, mayShow, type MonthRange } from '../domain/release.ts';
import { oneWay, sum, twoWay } from '../domain/tables.ts';

const k = least.network;
const mostMonths = 60;

const Shown = z.union([z.int().min(k), z.literal('suppressed')]);
const IndicatorFigures = z.object({
  total: Shown,
  cells: z.array(z.object({ sex: z.string().optional(), ageBand: z.string().optional(), region: z.string().optional(), count: Shown })).optional(),
}).meta({ id: 'IndicatorFigures' });
const Figures = z.object({
  from: Month, to: Month, by: z.array(z.enum(dimensionNames)), least: z.int(),
  figures: z.object({ identified: IndicatorFigures, sheltered: IndicatorFigures, consulted: IndicatorFigures }),
}).meta({ id: 'NetworkFigures' });
const Query = z.object({
  from: Month, to: Month.describe('The last month, which must have ended'),
  by: z.string().regex(/^(sex|ageBand|region)(,(sex|ageBand|region))?$/).optional().describe('One or two of sex, ageBand, region, such as `sex,ageBand`'),
});

interface Known {
  readonly facts: readonly Row[];
  readonly months: readonly Row[];
  readonly released: readonly Row[];
}

/** The network's figures over any months, broken down by two dimensions at most, and never so far that one person shows. */
@Controller()
export class NetworkFigures {
  readonly #looks: Looks;
  readonly #clock: Clock;

  constructor(looks: Looks, clock: Clock) {
    this.#looks = looks;
    this.#clock = clock;
  }

  @Read('GET /v1/indicators/network', { summary: 'Figures over a range of months, with what could point at a person suppressed', query: Query, answer: Figures })
  @Allow('indicators.read')
  async range(@TheAct() act: Act<unknown, z.infer<typeof Query>>) {
    const { from, to } = act.query;
    const by = dimensionsOf(act.query.by);
    const asked = { from: monthNumber(from), to: monthNumber(to) };
    if (asked.to < asked.from || asked.to - asked.from >= mostMonths) throw new Refusal('validation-failed', { errors: [{ pointer: '/to', code: 'range' }] });
    if (!isOver(to, this.#clock.business())) throw new Refusal('validation-failed', { errors: [{ pointer: '/to', code: 'not-over' }] });
    return await this.#looks.show(act, [oneAtATime, factsOf({ from, to, pair: by.length > 0 ? pairFor(by) : totalsPair }), totalsByMonth, releasedRanges], ([, facts, months, released], tx) => {
      const figures = Object.fromEntries(Indicator.options.map((indicator) => {
        const { shown, release } = figuresOf(asked, { indicator, by, known: { facts: facts!, months: months!, released: released! }, isOver: (month) => isOver(month, this.#clock.business()) });
        if (release) tx.write(remember({ indicator, from, to, withCells: shown.cells !== undefined }));
        return [indicator, shown];
      }));
      return { answer: { from, to, by: [...by], least: k, figures }, subjects: [{ type: 'figures', aggregateId: 'network-figures', publicId: `${from}_${to}` }] };
    });
  }
}

function figuresOf(asked: MonthRange, options: { indicator: Indicator; by: readonly Dimension[]; known: Known; isOver: (month: string) => boolean }): { shown: z.infer<typeof IndicatorFigures>; release: boolean } {
  const { indicator, by, known } = options;
  const mine = (row: Row) => row.indicator === indicator;
  const months = known.months.filter(mine).map((row) => ({ month: row.month as string, at: monthNumber(row.month as string), count: row.count as number }));
  const countIn = (range: MonthRange) => months.filter(({ at }) => at >= range.from && at <= range.to).reduce((all, { count }) => all + count, 0);
  const released = known.released.filter(mine).map((row) => ({ from: monthNumber(row.from_month as string), to: monthNumber(row.to_month as string), withCells: row.with_cells as boolean }));
  // Everybody may read these months, so they can be subtracted from whatever is shown here.
  const inPublic = months.filter(({ month, count }) => count >= least.everybody && options.isOver(month)).map(({ at }) => ({ from: at, to: at }));
  const total = countIn(asked);
  if (total < k || !mayShow(asked, { released: [...released, ...inPublic], countIn, k })) return { shown: { total: 'suppressed' }, release: false };
  if (by.length === 0 || !mayBreakDown(asked, released.filter(({ withCells }) => withCells))) return { shown: { total }, release: true };
  const facts = known.facts.filter(mine).map((row): Fact => ({ dimensions: row.dimensions as Dimensions, count: row.count as number }));
  // A batch that is still arriving: its pairs do not add up to the same, and their difference would tell about one person.
  if (sum(facts) !== total) return { shown: { total }, release: true };
  const [first, second] = by as [Dimension, Dimension?];
  const cells = second ? twoWay([first, second], facts, k) : oneWay(first, facts, k);
  return { shown: { total, cells: cells.map(({ dimensions, count }) => ({ ...dimensions, count })) }, release: true };
}

function dimensionsOf(by: string | undefined): Dimension[] {
  const named = (by?.split(',') ?? []) as Dimension[];
  if (new Set(named).size !== named.length) throw new Refusal('validation-failed', { errors: [{ pointer: '/by', code: 'twice' }] });
  return dimensionNames.filter((name) => named.includes(name));
}

/** Two answers at once could each be harmless and tell something together. */
const oneAtATime: Statement = { name: 'figures-lock', text: 'SELECT pg_advisory_xact_lock(hashtext(\'indicators.release\'))', values: [] };

const totalsByMonth: Statement = {
  name: 'figures-by-month', values: [totalsPair],
  text: 'SELECT indicator, month, count(*)::int AS count FROM counting_fact WHERE pair = $1 GROUP BY indicator, month ORDER BY month LIMIT 3000',
};

const releasedRanges: Statement = { name: 'figures-released', text: 'SELECT indicator, from_month, to_month, with_cells FROM released_range ORDER BY from_month, to_month LIMIT 3000', values: [] };

function factsOf(options: { from: string; to: string; pair: string }): Statement {
  return {
    name: 'figures-facts', values: [options.from, options.to, options.pair],
    text: 'SELECT indicator, dimensions, count(*)::int AS count FROM counting_fact WHERE month >= $1 AND month <= $2 AND pair = $3 GROUP BY indicator, dimensions LIMIT 5000',
  };
}

function remember(range: { indicator: string; from: string; to: string; withCells: boolean }): Statement {
  return {
    name: 'figures-remember', values: [range.indicator, range.from, range.to, range.withCells],
    text: `INSERT INTO released_range (indicator, from_month, to_month, with_cells) VALUES ($1, $2, $3, $4)
      ON CONFLICT (indicator, from_month, to_month) DO UPDATE SET with_cells = released_range.with_cells OR EXCLUDED.with_cells`,
  };
}
