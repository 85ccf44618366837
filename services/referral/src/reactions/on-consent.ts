import { Controller } from '@nestjs/common';
import type { intakeEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { withdraw } from '../domain/referral.ts';
import { Referrals } from '../referrals.ts';

/** Keys that sign receipts, and the end of a consent: a withdrawal ends every open referral that rests on it. */
@Controller()
export class OnConsent {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Reaction('intake.receipt-key-published.v1')
  async onKeyPublished(event: ReceivedEvent<z.infer<typeof intakeEvents.ReceiptKeyPublished.data>>, context: InboxContext): Promise<void> {
    context.getTransaction().write({ name: 'keep-receipt-key', text: 'INSERT INTO receipt_key (kid, key) VALUES ($1, $2) ON CONFLICT (kid) DO NOTHING', values: [event.data.kid, JSON.stringify(event.data.key)] });
  }

  @Reaction('intake.consent-withdrawn.v1')
  async onWithdrawn(event: ReceivedEvent<z.infer<typeof intakeEvents.ConsentWithdrawn.data>>, context: InboxContext): Promise<void> {
    const tx = context.getTransaction();
    const { consentRef, effectiveAt } = event.data;
    // Remembered even without a referral: a draft that names this consent must not be sent later.
    tx.write({ name: 'keep-ended-consent', text: 'INSERT INTO ended_consent (consent_ref, effective_at) VALUES ($1, $2) ON CONFLICT (consent_ref) DO NOTHING', values: [consentRef, effectiveAt] });
    const resting = await tx.query({ name: 'resting-on-consent', text: 'SELECT referral_id FROM referral_board WHERE consent_ref = $1 LIMIT 20', values: [consentRef] });
    for (const { referral_id: referralId } of resting) {
      await this.#referrals.apply(tx, referralId as string, { cause: event, action: 'referral.withdraw' }, (state) => withdraw(state, event.data));
    }
  }
}
