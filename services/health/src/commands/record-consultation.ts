import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { OutcomeCode, Refusal } from '@amana/contracts';
import { SealedStore } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { complete } from '../domain/medical-referral.ts';
import { type Consultation, consultationOf, MedicalAnswer, MedicalReferrals } from '../medical-referrals.ts';

const ConsultationOutcome = z.strictObject({
  outcomeCode: z.enum(['treated', 'prescribed', 'tests', 'referred_on', 'follow_up']).describe('Stays in the clinic, sealed'),
  outcome: OutcomeCode.describe('What the sender hears: whether she got what she came for'),
  nextStep: z.enum(['none', 'follow_up', 'referred_on']).default('none').describe('Stays in the clinic, sealed'),
}).meta({ id: 'ConsultationOutcome' });

/** What was found is the clinic's and hers. That she was seen is what returns. */
@Controller()
export class RecordConsultation {
  readonly #medical: MedicalReferrals;
  readonly #sealed: SealedStore;

  constructor(medical: MedicalReferrals, sealed: SealedStore) {
    this.#medical = medical;
    this.#sealed = sealed;
  }

  @Command('POST /v1/health/:organisationId/medical-referrals/:referralId/outcome', {
    summary: 'Complete the consultation of a person who came', body: ConsultationOutcome, answer: MedicalAnswer, refusals: ['acceptance-not-yet-seen', 'gone', 'illegal-transition'],
  })
  @Allow('consultation.record')
  record(@TheAct() act: Act<z.infer<typeof ConsultationOutcome>>): Promise<MedicalAnswer> {
    const referralId = act.id('referralId');
    return this.#medical.commit(act, referralId, async (state, { outcomeCode, outcome, nextStep }, { tx }) => {
      const consultationId = randomUUID();
      const decision = complete(state, { consultationId, outcome });
      if (!(decision instanceof Refusal)) await this.#sealed.put(tx, consultationOf(referralId, consultationId), { outcomeCode, nextStep } satisfies Consultation);
      return decision;
    });
  }
}
