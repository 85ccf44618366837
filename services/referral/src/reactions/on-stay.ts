import { Controller } from '@nestjs/common';
import type { shelterEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { acceptWithHold, complete, fail, recipientOf, type Referral, start } from '../domain/referral.ts';
import { Referrals } from '../referrals.ts';

type Data<K extends keyof typeof shelterEvents> = z.infer<(typeof shelterEvents)[K]['data']>;

/** Only the shelter that was asked moves a referral: another's hold on somebody else's referral changes nothing. */
const isOf = (state: Referral, hold: { organisationId: string; holdId: string }): boolean =>
  state.status !== 'none' && recipientOf(state).organisationId === hold.organisationId && state.holdId === hold.holdId;

/** A shelter answers and serves by its beds; each fact of a stay moves the referral along. */
@Controller()
export class OnStay {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Reaction('shelter.bed-held.v1')
  async onBedHeld(event: ReceivedEvent<Data<'BedHeld'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.accept' }, (state, { now }) => acceptWithHold(state, event.data, now));
  }

  @Reaction('shelter.hold-lost.v1')
  async onHoldLost(event: ReceivedEvent<Data<'HoldLost'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.fail' }, (state) => (isOf(state, event.data) ? fail(state, 'provider_error', 'holder') : []));
  }

  @Reaction('shelter.stay-started.v1')
  async onStayStarted(event: ReceivedEvent<Data<'StayStarted'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.start' }, (state) => (isOf(state, event.data) ? start(state, 'holder') : []));
  }

  @Reaction('shelter.stay-ended.v1')
  async onStayEnded(event: ReceivedEvent<Data<'StayEnded'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.complete' }, (state) => (isOf(state, event.data) ? complete(state, event.data.outcomeCode, 'holder') : []));
  }
}
