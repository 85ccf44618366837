import { Controller } from '@nestjs/common';
import { Instant, OutcomeCode } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { endStay, startStay } from '../domain/hold.ts';
import { HoldAnswer, Holds } from '../holds.ts';

const StayStart = z.strictObject({ arrivedAt: Instant }).meta({ id: 'StayStart' });
const StayEnd = z.strictObject({ outcomeCode: OutcomeCode, endedAt: Instant }).meta({ id: 'StayEnd' });

/** She has come; she has left. Outside only the day is told. */
@Controller()
export class KeepStay {
  readonly #holds: Holds;

  constructor(holds: Holds) {
    this.#holds = holds;
  }

  @Command('POST /v1/shelter/:organisationId/holds/:holdId/stay', { summary: 'She has arrived: the stay begins', body: StayStart, answer: HoldAnswer, refusals: ['illegal-transition', 'occurred-in-future'] })
  @Allow('stay.start')
  start(@TheAct() act: Act<z.infer<typeof StayStart>>): Promise<HoldAnswer> {
    return this.#holds.commit(act, act.id('holdId'), (state, { arrivedAt }, { now }) => startStay(state, arrivedAt, now));
  }

  @Command('POST /v1/shelter/:organisationId/holds/:holdId/stay-end', { summary: 'The stay has ended; its beds are free again', body: StayEnd, answer: HoldAnswer, refusals: ['illegal-transition', 'occurred-in-future'] })
  @Allow('stay.end')
  end(@TheAct() act: Act<z.infer<typeof StayEnd>>): Promise<HoldAnswer> {
    return this.#holds.commit(act, act.id('holdId'), (state, body, { now }) => endStay(state, body, now));
  }
}
