import { Controller, Inject } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { Disposals } from '@amana/holding';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import { ServiceSettings, ServiceSettingsToken } from '@amana/service';
import type { z } from 'zod';
import { ask, end, type EndReason, open } from '../domain/medical-referral.ts';
import { MedicalReferrals } from '../medical-referrals.ts';

type Data<K extends keyof typeof referralEvents> = z.infer<(typeof referralEvents)[K]['data']>;

const reasonOf: Record<string, EndReason> = {
  'referral.declined.v1': 'declined', 'referral.expired.v1': 'expired', 'referral.withdrawn.v1': 'withdrawn', 'referral.cancelled.v1': 'cancelled', 'referral.failed.v1': 'failed',
};

/** A clinic is asked, has said yes, or is no longer needed: what `referral` decides opens and ends its cases. */
@Controller()
export class OnReferral {
  readonly #medical: MedicalReferrals;
  readonly #disposals: Disposals;
  readonly #settings: ServiceSettings;

  constructor(medical: MedicalReferrals, disposals: Disposals, @Inject(ServiceSettingsToken) settings: ServiceSettings) {
    this.#medical = medical;
    this.#disposals = disposals;
    this.#settings = settings;
  }

  @Reaction('referral.submitted.v1')
  async onSubmitted(event: ReceivedEvent<Data<'ReferralSubmitted'>>, context: InboxContext): Promise<void> {
    const { referralId, fromOrg, toOrg, toServiceId, serviceKind, consentRef, urgency, ackBy, decideBy, serveBy } = event.data;
    if (serviceKind !== 'health' || !this.#keepsFor(toOrg)) return;
    const asked = { referralId, organisationId: toOrg, fromOrg, serviceId: toServiceId, consentRef, urgency, ackBy, decideBy, serveBy, submittedAt: event.at.toISOString() };
    await this.#medical.apply(context.getTransaction(), referralId, { cause: event, action: 'medical.list' }, (state) => ask(state, asked));
  }

  @Reaction('referral.accepted.v1')
  async onAccepted(event: ReceivedEvent<Data<'ReferralAccepted'>>, context: InboxContext): Promise<void> {
    if (event.data.serviceKind !== 'health') return;
    const tx = context.getTransaction();
    await this.#medical.apply(tx, event.data.referralId, { cause: event, action: 'medical.open' }, (state) => open(state, event.data));
    await this.#disposals.acknowledgeIfHeld(tx, event.data.consentRef, event);
  }

  @Reaction('referral.declined.v1', 'referral.expired.v1', 'referral.withdrawn.v1', 'referral.cancelled.v1', 'referral.failed.v1')
  async onEnded(event: ReceivedEvent<{ referralId: string }>, context: InboxContext): Promise<void> {
    await this.#medical.apply(context.getTransaction(), event.data.referralId, { cause: event, action: 'medical.end' }, (state) => end(state, reasonOf[event.type]!));
  }

  /** An instance with a list of organisations keeps nobody else's data. */
  #keepsFor(organisationId: string): boolean {
    return this.#settings.organisations.length === 0 || this.#settings.organisations.includes(organisationId);
  }
}
