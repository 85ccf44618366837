import { Controller } from '@nestjs/common';
import type { healthEvents, shelterEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { Outcomes } from '../outcomes.ts';

/** What came of a referral, as far as it is counted: a stay began, a consultation was completed. */
@Controller()
export class OnOutcome {
  readonly #outcomes: Outcomes;

  constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes;
  }

  @Reaction('shelter.stay-started.v1')
  async onStayStarted({ data }: ReceivedEvent<z.infer<typeof shelterEvents.StayStarted.data>>, context: InboxContext): Promise<void> {
    await this.#outcomes.note(context.getTransaction(), { referralId: data.referralId, organisationId: data.organisationId, indicator: 'sheltered' });
  }

  @Reaction('health.consultation-completed.v1')
  async onConsultationCompleted({ data }: ReceivedEvent<z.infer<typeof healthEvents.ConsultationCompleted.data>>, context: InboxContext): Promise<void> {
    // She did not come, or did not want it: no consultation took place.
    if (!data.attended || data.outcome === 'not_delivered') return;
    await this.#outcomes.note(context.getTransaction(), { referralId: data.referralId, organisationId: data.organisationId, indicator: 'consulted' });
  }
}
