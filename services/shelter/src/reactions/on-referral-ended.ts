import { Controller } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { letGo, type ReleaseReason } from '../domain/hold.ts';
import { Holds, liveHoldsOf } from '../holds.ts';
import { moveReferral } from '../referrals.ts';

type Data<K extends keyof typeof referralEvents> = z.infer<(typeof referralEvents)[K]['data']>;

/** The referral ended before she moved in: the beds are given back, after a withdrawal not before its time. */
@Controller()
export class OnReferralEnded {
  readonly #holds: Holds;

  constructor(holds: Holds) {
    this.#holds = holds;
  }

  @Reaction('referral.withdrawn.v1')
  async onWithdrawn(event: ReceivedEvent<Data<'ReferralWithdrawn'>>, context: InboxContext): Promise<void> {
    await this.#end(event, context, { status: 'withdrawn', reasonCode: 'withdrawn', releaseHoldAt: event.data.releaseHoldAt });
  }

  @Reaction('referral.cancelled.v1')
  async onCancelled(event: ReceivedEvent<Data<'ReferralCancelled'>>, context: InboxContext): Promise<void> {
    await this.#end(event, context, { status: 'cancelled', reasonCode: 'cancelled' });
  }

  @Reaction('referral.failed.v1')
  async onFailed(event: ReceivedEvent<Data<'ReferralFailed'>>, context: InboxContext): Promise<void> {
    await this.#end(event, context, { status: 'failed', reasonCode: 'failed' });
  }

  async #end(event: ReceivedEvent<{ referralId: string }>, context: InboxContext, end: { status: string; reasonCode: ReleaseReason; releaseHoldAt?: string }): Promise<void> {
    const tx = context.getTransaction();
    const { referralId } = event.data;
    tx.write(moveReferral(referralId, end.status));
    for (const holdId of await liveHoldsOf(tx, referralId)) {
      await this.#holds.apply(tx, holdId, { cause: event, action: 'hold.release' }, (state, { now }) => letGo(state, end, now));
    }
  }
}
