import { Controller } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { Transaction } from '@amana/persistence';
import type { z } from 'zod';
import { noteAnswer } from '../answer-times.ts';
import { redirect } from '../domain/referral.ts';
import { mayReceive } from '../recipients.ts';
import { Referrals } from '../referrals.ts';

/** A no, or silence: the next consented recipient is asked at once, by a referral of its own. */
@Controller()
export class OnReferralEnded {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Reaction('referral.declined.v1')
  async onDeclined(event: ReceivedEvent<z.infer<typeof referralEvents.ReferralDeclined.data>>, context: InboxContext): Promise<void> {
    await noteAnswer(context.getTransaction(), event, 'declined');
    await this.#askNext(event, context.getTransaction());
  }

  @Reaction('referral.expired.v1')
  async onExpired(event: ReceivedEvent<z.infer<typeof referralEvents.ReferralExpired.data>>, context: InboxContext): Promise<void> {
    await noteAnswer(context.getTransaction(), event, 'expired');
    await this.#askNext(event, context.getTransaction());
  }

  async #askNext(event: ReceivedEvent<{ referralId: string }>, tx: Transaction): Promise<void> {
    const { state: ended } = await this.#referrals.load(tx, event.data.referralId);
    if (ended.status === 'none') return;
    for (const [index, recipient] of ended.draft.recipients.entries()) {
      if (index === 0) continue;
      let asked = false;
      await this.#referrals.apply(tx, recipient.referralId, { cause: event, action: 'referral.redirect' }, async (next, { now }) => {
        const events = redirect(next, ended, index, { mayReceive: await mayReceive(tx, recipient), now });
        asked = events.length > 0 || next.status !== 'none';
        return events;
      });
      if (asked) return;
    }
  }
}
