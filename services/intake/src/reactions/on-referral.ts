import { Controller } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { Held } from '../held.ts';
import { Outcomes } from '../outcomes.ts';

type Submitted = z.infer<typeof referralEvents.ReferralSubmitted.data>;

const statusOf: Readonly<Record<string, string>> = {
  'referral.acknowledged.v1': 'acknowledged', 'referral.accepted.v1': 'accepted', 'referral.scheduled.v1': 'scheduled', 'referral.started.v1': 'in-progress', 'referral.completed.v1': 'completed',
  'referral.loop-closed.v1': 'closed', 'referral.declined.v1': 'declined', 'referral.expired.v1': 'expired', 'referral.cancelled.v1': 'cancelled', 'referral.withdrawn.v1': 'withdrawn', 'referral.failed.v1': 'failed',
};

/** Follows each referral of the organisations held here: which consent it rests on, and whether its receiver may read. */
@Controller()
export class OnReferral {
  readonly #held: Held;
  readonly #outcomes: Outcomes;

  constructor(held: Held, outcomes: Outcomes) {
    this.#held = held;
    this.#outcomes = outcomes;
  }

  @Reaction('referral.submitted.v1')
  async onSubmitted({ data }: ReceivedEvent<Submitted>, context: InboxContext): Promise<void> {
    const tx = context.getTransaction();
    if (!this.#held.holds(data.fromOrg)) return;
    tx.write({
      name: 'link-submitted', values: [data.referralId, data.consentRef, data.fromOrg, data.toOrg, data.toServiceId, data.urgency],
      text: `INSERT INTO referral_link (referral_id, consent_ref, from_org, to_org, service_id, urgency, status) VALUES ($1, $2, $3, $4, $5, $6, 'submitted')
        ON CONFLICT (referral_id) DO NOTHING`,
    });
    await this.#outcomes.catchUp(tx, data.referralId);
  }

  @Reaction(
    'referral.acknowledged.v1', 'referral.accepted.v1', 'referral.scheduled.v1', 'referral.started.v1', 'referral.completed.v1', 'referral.loop-closed.v1', 'referral.declined.v1', 'referral.expired.v1',
    'referral.cancelled.v1', 'referral.withdrawn.v1', 'referral.failed.v1',
  )
  async onMoved({ type, data }: ReceivedEvent<{ referralId: string }>, context: InboxContext): Promise<void> {
    context.getTransaction().write({ name: 'link-moved', values: [data.referralId, statusOf[type]], text: 'UPDATE referral_link SET status = $2 WHERE referral_id = $1' });
  }
}
