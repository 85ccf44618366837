import { Controller } from '@nestjs/common';
import type { intakeEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { Disposals } from './disposals.ts';

/** Her consent ended: remembered in the holder's own table `ended_consent`, and acknowledged where its data is held. */
@Controller()
export class OnConsentWithdrawn {
  readonly #disposals: Disposals;

  constructor(disposals: Disposals) {
    this.#disposals = disposals;
  }

  @Reaction('intake.consent-withdrawn.v1')
  async onWithdrawn(event: ReceivedEvent<z.infer<typeof intakeEvents.ConsentWithdrawn.data>>, context: InboxContext): Promise<void> {
    const tx = context.getTransaction();
    const { consentRef, disposeNotBefore } = event.data;
    // Remembered even where nothing is held yet: the acceptance may still be on its way.
    tx.write({
      name: 'consent-ended', values: [consentRef, disposeNotBefore],
      text: 'INSERT INTO ended_consent (consent_ref, dispose_not_before) VALUES ($1, $2) ON CONFLICT (consent_ref) DO NOTHING',
    });
    await this.#disposals.acknowledgeIfHeld(tx, consentRef, event);
  }
}
