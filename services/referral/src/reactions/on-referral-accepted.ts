import { Controller } from '@nestjs/common';
import type { referralEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { noteAnswer } from '../answer-times.ts';

/** A yes: how long she had to wait for it. */
@Controller()
export class OnReferralAccepted {
  @Reaction('referral.accepted.v1')
  async onAccepted(event: ReceivedEvent<z.infer<typeof referralEvents.ReferralAccepted.data>>, context: InboxContext): Promise<void> {
    await noteAnswer(context.getTransaction(), event, 'accepted');
  }
}
