import { Controller } from '@nestjs/common';
import { FailReason, OutcomeCode } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { complete, fail, start } from '../domain/referral.ts';
import { ReferralAnswer, Referrals } from '../referrals.ts';

const Start = z.strictObject({});
const Completion = z.strictObject({ outcomeCode: OutcomeCode }).meta({ id: 'Completion' });
const Failure = z.strictObject({ reasonCode: FailReason }).meta({ id: 'Failure' });

/** How a provider without a service of its own here (psychosocial, legal, vocational) carries a referral out. */
@Controller()
export class ProvideService {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Command('POST /v1/referral/referrals/:referralId/start', { summary: 'She has come and the service begins', body: Start, answer: ReferralAnswer, refusals: ['illegal-transition'] })
  @Allow('referral.start')
  start(@TheAct() act: Act): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state) => start(state, 'command'));
  }

  @Command('POST /v1/referral/referrals/:referralId/completion', { summary: 'The service has been given, in part or not', body: Completion, answer: ReferralAnswer, refusals: ['illegal-transition'] })
  @Allow('referral.complete')
  complete(@TheAct() act: Act<z.infer<typeof Completion>>): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, { outcomeCode }) => complete(state, outcomeCode, 'command'));
  }

  @Command('POST /v1/referral/referrals/:referralId/failure', { summary: 'It could not be carried out; the sender looks at her safety anew', body: Failure, answer: ReferralAnswer, refusals: ['illegal-transition'] })
  @Allow('referral.fail')
  fail(@TheAct() act: Act<z.infer<typeof Failure>>): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, { reasonCode }) => fail(state, reasonCode, 'command'));
  }
}
