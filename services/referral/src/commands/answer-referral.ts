import { Controller } from '@nestjs/common';
import { DeclineReason, Id, Instant } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { accept, acknowledge, decline } from '../domain/referral.ts';
import { ReferralAnswer, Referrals } from '../referrals.ts';

const Acknowledgement = z.strictObject({});

export const Acceptance = z.strictObject({
  responsibleRole: z.enum(['focal-point', 'clinician', 'nurse', 'midwife', 'psychologist', 'social-worker', 'legal-adviser', 'trainer']).describe('Whom to ask for: a role, never a name'),
  firstContactAt: Instant.optional(),
}).meta({ id: 'Acceptance' });
export type Acceptance = z.infer<typeof Acceptance>;

export const Decline = z.strictObject({ reasonCode: DeclineReason, alternatives: z.array(Id).max(10).default([]).describe('Services you propose instead') }).meta({ id: 'Decline' });
export type Decline = z.infer<typeof Decline>;

/** The receiver's three answers. */
@Controller()
export class AnswerReferral {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Command('POST /v1/referral/referrals/:referralId/acknowledgement', {
    summary: 'Say that a person has read it; this is not a yes', body: Acknowledgement, answer: ReferralAnswer, refusals: ['illegal-transition'],
  })
  @Allow('referral.acknowledge')
  acknowledge(@TheAct() act: Act): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, _body, { now }) => acknowledge(state, now));
  }

  @Command('POST /v1/referral/referrals/:referralId/acceptance', {
    summary: 'Say yes; a shelter says it by holding a bed', body: Acceptance, answer: ReferralAnswer, refusals: ['illegal-transition', 'hold-required'],
  })
  @Allow('referral.accept')
  accept(@TheAct() act: Act<Acceptance>): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, body, { now }) => accept(state, body, now));
  }

  @Command('POST /v1/referral/referrals/:referralId/decline', {
    summary: 'Say no, with the reason; the next consented recipient is asked at once', body: Decline, answer: ReferralAnswer, refusals: ['illegal-transition'],
  })
  @Allow('referral.decline')
  decline(@TheAct() act: Act<Decline>): Promise<ReferralAnswer> {
    return this.#referrals.commit(act, act.id('referralId'), (state, body, { now }) => decline(state, body, now));
  }
}
