import { Controller } from '@nestjs/common';
import { Id, Indicator, Month } from '@amana/contracts';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { Held } from '../held.ts';

const FiguresQuery = z.object({ month: Month.optional().describe('YYYY-MM; left out: all months') });
const Figures = z.object({ organisationId: Id, month: Month.optional(), identified: z.int(), sheltered: z.int(), consulted: z.int() }).meta({ id: 'OwnFigures' });

/** An organisation's own figures, from its own cases, at any time: each person once, and nobody who did not agree. */
@Controller()
export class FiguresRead {
  readonly #looks: Looks;
  readonly #held: Held;

  constructor(looks: Looks, held: Held) {
    this.#looks = looks;
    this.#held = held;
  }

  @Read('GET /v1/intake/:organisationId/figures', { summary: 'Presumed victims identified, sheltered and consulted, counted as persons', query: FiguresQuery, answer: Figures })
  @Allow('figures.read')
  async figures(@TheAct() act: Act<unknown, z.infer<typeof FiguresQuery>>) {
    const { organisationId } = act;
    const subject = { type: 'figures', aggregateId: organisationId };
    const own = act.params.organisationId === organisationId && this.#held.holds(organisationId);
    await this.#looks.require(act, own ? ['own'] : [], subject);
    const { month } = act.query;
    return await this.#looks.show(act, [{
      name: 'figures', values: [organisationId, month ?? null],
      text: 'SELECT indicator, count(*)::int AS persons FROM case_count WHERE organisation_id = $1 AND ($2::text IS NULL OR month = $2) GROUP BY indicator',
    }], ([rows]) => {
      const persons = new Map(rows!.map((row) => [row.indicator as Indicator, row.persons as number]));
      return {
        answer: { organisationId, ...(month ? { month } : {}), identified: persons.get('identified') ?? 0, sheltered: persons.get('sheltered') ?? 0, consulted: persons.get('consulted') ?? 0 },
        subjects: [subject],
      };
    });
  }
}
