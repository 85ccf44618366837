import { Controller } from '@nestjs/common';
import type { healthEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { complete, recipientOf, type Referral, schedule, start } from '../domain/referral.ts';
import { Referrals } from '../referrals.ts';

type Data<K extends keyof typeof healthEvents> = z.infer<(typeof healthEvents)[K]['data']>;

const isOf = (state: Referral, event: { organisationId: string }): boolean => state.status !== 'none' && recipientOf(state).organisationId === event.organisationId;

/** What a clinic books and does moves the referral along. */
@Controller()
export class OnMedicalReferral {
  readonly #referrals: Referrals;

  constructor(referrals: Referrals) {
    this.#referrals = referrals;
  }

  @Reaction('health.appointment-booked.v1')
  async onBooked(event: ReceivedEvent<Data<'AppointmentBooked'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.schedule' }, (state) => (isOf(state, event.data) ? schedule(state) : []));
  }

  @Reaction('health.appointment-attended.v1')
  async onAttended(event: ReceivedEvent<Data<'AppointmentAttended'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.start' }, (state) => (isOf(state, event.data) ? start(state, 'holder') : []));
  }

  @Reaction('health.consultation-completed.v1')
  async onCompleted(event: ReceivedEvent<Data<'ConsultationCompleted'>>, context: InboxContext): Promise<void> {
    await this.#referrals.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'referral.complete' }, (state) => (isOf(state, event.data) ? complete(state, event.data.outcome, 'holder') : []));
  }
}
