import { Controller } from '@nestjs/common';
import { CancelReason } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { cancel, closeLoop, confirmArrival } from '../domain/referral.ts';
import { ReferralAnswer, Referrals } from '../referrals.ts';

const Arrival = z.strictObject({});
const LoopClosure = z.strictObject({ followUp: z.enum(['received', 'not-received', 'unsafe-to-contact']).describe('What she says, or that asking her would not be safe') }).meta({ id: 'LoopClosure' });
const Cancellation = z.strictObject({ reasonCode: CancelReason }).meta({ id: 'Cancellation' });

/** The sender's part after the yes: she arrived, she was asked, or it is no longer needed. */
@Controller()
export class FollowReferral {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Command('POST /v1/referral/referrals/:referralId/arrival', { summary: 'Confirm that she has arrived', body: Arrival, answer: ReferralAnswer, refusals: ['illegal-transition'] })
  @Allow('referral.confirm-arrival')
  arrive(@TheAct() act: Act): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state) => confirmArrival(state));
  }

  @Command('POST /v1/referral/referrals/:referralId/closure', { summary: 'Close the loop after asking her', body: LoopClosure, answer: ReferralAnswer, refusals: ['illegal-transition'] })
  @Allow('referral.close-loop')
  close(@TheAct() act: Act<z.infer<typeof LoopClosure>>): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, { followUp }) => closeLoop(state, followUp));
  }

  @Command('POST /v1/referral/referrals/:referralId/cancellation', { summary: 'Take it back, with the reason', body: Cancellation, answer: ReferralAnswer, refusals: ['illegal-transition'] })
  @Allow('referral.cancel')
  cancel(@TheAct() act: Act<z.infer<typeof Cancellation>>): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, { reasonCode }) => cancel(state, reasonCode));
  }
}
