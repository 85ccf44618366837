import { Controller } from '@nestjs/common';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { CaseAnswer, Cases } from '../cases.ts';
import { closeCase } from '../domain/case.ts';
import { openReferralsOf } from '../referral-links.ts';

const Closure = z.strictObject({ reasonCode: z.enum(['goals-reached', 'moved', 'lost-contact', 'declines-further-services', 'duplicate', 'death', 'other']) }).meta({ id: 'CaseClosure' });

/** The end of a case, once nothing is open any more. */
@Controller()
export class CloseCase {
  readonly #cases: Cases;

  constructor(cases: Cases) {
    this.#cases = cases;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/closure', { summary: 'Close a case, with the reason', body: Closure, answer: CaseAnswer, refusals: ['case-closed', 'illegal-transition', 'open-referrals'] })
  @Allow('case.close')
  close(@TheAct() act: Act<z.infer<typeof Closure>>): Promise<CaseAnswer> {
    return this.#cases.commit(act, act.id('caseId'), async (state, { reasonCode }, { tx, id }) => closeCase(state, reasonCode, (await openReferralsOf(tx, id)).length));
  }
}
