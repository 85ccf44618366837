import { Controller } from '@nestjs/common';
import { Indicator, Month, Refusal } from '@amana/contracts';
import { Clock } from '@amana/persistence';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { isOver, least, totalsPair } from '../domain/counting.ts';

const withheld = `<${least.everybody}` as const;

const Figure = z.union([z.int().min(least.everybody), z.literal(withheld)]);
const Figures = z.object({ month: Month, figures: z.object({ identified: Figure, sheltered: Figure, consulted: Figure }) }).meta({ id: 'PublicFigures' });
const Query = z.object({ month: Month.describe('A month that has ended, YYYY-MM') });

/** What anybody may know: three figures a month, none of them small, after the month has ended. */
@Controller()
export class PublicFigures {
  readonly #looks: Looks;
  readonly #clock: Clock;

  constructor(looks: Looks, clock: Clock) {
    this.#looks = looks;
    this.#clock = clock;
  }

  @Read('GET /v1/indicators/public', { summary: 'The three figures of a month that has ended; small ones are shown as "<11"', query: Query, answer: Figures, refusals: ['not-found'] })
  @Allow('public')
  async month(@TheAct() act: Act<unknown, z.infer<typeof Query>>) {
    const { month } = act.query;
    if (!isOver(month, this.#clock.business())) throw new Refusal('not-found');
    const counted = {
      name: 'public-figures', values: [month, totalsPair],
      text: 'SELECT indicator, count(*)::int AS count FROM counting_fact WHERE month = $1 AND pair = $2 GROUP BY indicator',
    };
    // Nobody in particular looks, and nothing of anybody is shown: there is no subject to put on record.
    return await this.#looks.show(act, [counted], ([rows]) => {
      const counts = new Map(rows!.map((row) => [row.indicator as string, row.count as number]));
      const figures = Object.fromEntries(Indicator.options.map((indicator) => [indicator, publicFigure(counts.get(indicator) ?? 0)]));
      return { answer: { month, figures }, subjects: [] };
    });
  }
}

export function publicFigure(count: number): number | typeof withheld {
  return count < least.everybody ? withheld : count;
}
