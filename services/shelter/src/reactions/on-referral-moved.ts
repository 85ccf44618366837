import { Controller, Inject } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import { ServiceSettings, ServiceSettingsToken } from '@amana/service';
import type { z } from 'zod';
import { keepsFor, listReferral, moveReferral } from '../referrals.ts';

const statusOf: Record<string, string> = {
  'referral.acknowledged.v1': 'acknowledged', 'referral.declined.v1': 'declined', 'referral.expired.v1': 'expired',
  'referral.started.v1': 'in-progress', 'referral.completed.v1': 'completed', 'referral.loop-closed.v1': 'closed',
};

/** The shelter's list follows its referrals. A hold of one that was answered otherwise is let go by `acceptance-refused`. */
@Controller()
export class OnReferralMoved {
  readonly #settings: ServiceSettings;

  constructor(@Inject(ServiceSettingsToken) settings: ServiceSettings) {
    this.#settings = settings;
  }

  @Reaction('referral.submitted.v1')
  async onSubmitted(event: ReceivedEvent<z.infer<typeof referralEvents.ReferralSubmitted.data>>, context: InboxContext): Promise<void> {
    if (event.data.serviceKind !== 'shelter' || !keepsFor(this.#settings, event.data.toOrg)) return;
    context.getTransaction().write(listReferral(event.data, event.at));
  }

  @Reaction('referral.acknowledged.v1', 'referral.declined.v1', 'referral.expired.v1', 'referral.started.v1', 'referral.completed.v1', 'referral.loop-closed.v1')
  async onMoved(event: ReceivedEvent<{ referralId: string }>, context: InboxContext): Promise<void> {
    context.getTransaction().write(moveReferral(event.data.referralId, statusOf[event.type]!));
  }
}
