import { Controller } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { Disposals } from '@amana/holding';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { confirm, letGo } from '../domain/hold.ts';
import { Holds } from '../holds.ts';
import { markDataHeld, moveReferral } from '../referrals.ts';

/** What the referral made of a hold: accepted with it, or refused because it was no longer open. */
@Controller()
export class OnReferralAccepted {
  readonly #holds: Holds;
  readonly #disposals: Disposals;

  constructor(holds: Holds, disposals: Disposals) {
    this.#holds = holds;
    this.#disposals = disposals;
  }

  @Reaction('referral.accepted.v1')
  async onAccepted(event: ReceivedEvent<z.infer<typeof referralEvents.ReferralAccepted.data>>, context: InboxContext): Promise<void> {
    const { referralId, holdId, consentRef, serviceKind } = event.data;
    if (serviceKind !== 'shelter' || !holdId) return;
    const tx = context.getTransaction();
    tx.write(moveReferral(referralId, 'accepted'), markDataHeld(referralId));
    await this.#holds.apply(tx, holdId, { cause: event, action: 'hold.confirm' }, (state, { now }) => confirm(state, { referralId }, now));
    await this.#disposals.acknowledgeIfHeld(tx, consentRef, event);
  }

  @Reaction('referral.acceptance-refused.v1')
  async onRefused(event: ReceivedEvent<z.infer<typeof referralEvents.AcceptanceRefused.data>>, context: InboxContext): Promise<void> {
    const { referralId, holdId, reasonCode, releaseHoldAt } = event.data;
    await this.#holds.apply(context.getTransaction(), holdId, { cause: event, action: 'hold.release' }, (state, { now }) =>
      // A hold is let go by its own referral only: an id that another one names is nobody's key to a bed.
      (state.status !== 'none' && state.placed.referralId === referralId ? letGo(state, { reasonCode, releaseHoldAt }, now) : []));
  }
}
