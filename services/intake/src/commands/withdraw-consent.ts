import { Controller } from '@nestjs/common';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { Consents, lockConsent, WithdrawalAnswer } from '../consents.ts';
import { withdraw } from '../domain/consent.ts';

const WithdrawalBody = z.strictObject({
  service: z.enum(['stop', 'continue']).describe('Whether a service that is under way goes on without sharing'), recordedHow: z.enum(['in_person', 'phone', 'relayed']), alone: z.boolean(),
  scope: z.literal('whole'), disposeNow: z.boolean().default(false).describe('She, alone, asks that it be destroyed now; otherwise it waits 72 hours, since a withdrawal can be forced'),
}).meta({ id: 'ConsentWithdrawal' });
type WithdrawalBody = z.infer<typeof WithdrawalBody>;

/** The end of a consent. It asks for no version: her word counts, whatever else has changed meanwhile. */
@Controller()
export class WithdrawConsent {
  readonly #consents: Consents;

  constructor(consents: Consents) {
    this.#consents = consents;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/consents/:consentRef/withdrawal', {
    summary: 'Record that she withdraws; sharing stops at once', creates: true, body: WithdrawalBody, answer: WithdrawalAnswer, refusals: ['consent-withdrawn'],
  })
  @Allow('consent.withdraw')
  withdraw(@TheAct() act: Act<WithdrawalBody>): Promise<WithdrawalAnswer> {
    return this.#consents.commit(act, act.id('consentRef'), async (state, body, { now, tx, id }) => {
      await tx.query(lockConsent(id));
      return withdraw(state, body, now);
    });
  }
}
