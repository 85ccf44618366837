import { Controller } from '@nestjs/common';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { ToldFact } from '../domain/who-is-told.ts';
import { Telling } from '../telling.ts';

type ReferralFact = ToldFact & { readonly referralId: string };

/** What happens to a referral: the other side is told. */
@Controller()
export class OnReferral {
  readonly #telling: Telling;

  constructor(telling: Telling) {
    this.#telling = telling;
  }

  @Reaction('referral.submitted.v1')
  async onSubmitted(event: ReceivedEvent<ReferralFact>, context: InboxContext): Promise<void> {
    const { referralId, fromOrg, toOrg } = event.data;
    // Remembered for what a shelter or a clinic says later of a referral by its id alone.
    context.getTransaction().write({
      name: 'keep-parties', values: [referralId, fromOrg, toOrg],
      text: 'INSERT INTO referral_party (referral_id, from_org, to_org) VALUES ($1, $2, $3) ON CONFLICT (referral_id) DO NOTHING',
    });
    await this.#telling.tell(context.getTransaction(), event, { fact: event.data, referralId });
  }

  @Reaction(
    'referral.acknowledged.v1', 'referral.accepted.v1', 'referral.acceptance-refused.v1', 'referral.declined.v1', 'referral.scheduled.v1', 'referral.arrival-confirmed.v1',
    'referral.started.v1', 'referral.completed.v1', 'referral.loop-closed.v1', 'referral.cancelled.v1', 'referral.withdrawn.v1', 'referral.failed.v1', 'referral.expired.v1',
    'referral.deadline-approaching.v1',
  )
  async onMoved(event: ReceivedEvent<ReferralFact>, context: InboxContext): Promise<void> {
    await this.#telling.tell(context.getTransaction(), event, { fact: event.data, referralId: event.data.referralId });
  }
}
