import { Controller } from '@nestjs/common';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { release } from '../domain/hold.ts';
import { HoldAnswer, Holds } from '../holds.ts';

const Release = z.strictObject({});

@Controller()
export class ReleaseHold {
  readonly #holds: Holds;

  constructor(holds: Holds) {
    this.#holds = holds;
  }

  @Command('POST /v1/shelter/:organisationId/holds/:holdId/release', {
    summary: 'Give the beds back before the referral was accepted with them; afterwards fail the referral, and the beds follow', body: Release, answer: HoldAnswer, refusals: ['illegal-transition'],
  })
  @Allow('hold.release')
  release(@TheAct() act: Act): Promise<HoldAnswer> {
    return this.#holds.commit(act, act.id('holdId'), (state) => release(state));
  }
}
