import { Controller } from '@nestjs/common';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { recipientOf, submit } from '../domain/referral.ts';
import { mayReceive } from '../recipients.ts';
import { ReferralAnswer, Referrals } from '../referrals.ts';

const Empty = z.strictObject({});

@Controller()
export class SubmitReferral {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Command('POST /v1/referral/referrals/:referralId/submission', {
    summary: 'Send a draft to its first recipient; the clocks start', body: Empty, answer: ReferralAnswer,
    refusals: ['illegal-transition', 'consent-withdrawn', 'consent-invalid', 'service-unknown', 'recipient-suspended', 'protocol-missing'],
  })
  @Allow('referral.submit')
  submit(@TheAct() act: Act): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), async (state, _body, { now, tx }) =>
      submit(state, state.status === 'draft' ? await mayReceive(tx, recipientOf(state)) : undefined, now));
  }
}
