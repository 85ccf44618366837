import { Controller } from '@nestjs/common';
import type { healthEvents, shelterEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { Telling } from '../telling.ts';

type Provided = z.infer<typeof shelterEvents.ArrivalPlanned.data> | z.infer<typeof healthEvents.AppointmentMissed.data>;

/** What a shelter or a clinic says of a referral by its id alone: its sender is told. */
@Controller()
export class OnProvider {
  readonly #telling: Telling;

  constructor(telling: Telling) {
    this.#telling = telling;
  }

  @Reaction('shelter.arrival-planned.v1', 'health.appointment-missed.v1')
  async onProvided(event: ReceivedEvent<Provided>, context: InboxContext): Promise<void> {
    const tx = context.getTransaction();
    const { referralId, organisationId } = event.data;
    const [parties] = await tx.query<{ from_org: string; to_org: string }>({ name: 'find-parties', text: 'SELECT from_org, to_org FROM referral_party WHERE referral_id = $1', values: [referralId] });
    // Topics are independent of each other: the submission may still be on its way. Thrown, this waits and is tried again.
    if (!parties) throw new Error('The referral has not been seen yet');
    // Only whoever was asked has something to say about it.
    if (parties.to_org !== organisationId) return;
    await this.#telling.tell(tx, event, { fact: { fromOrg: parties.from_org, toOrg: parties.to_org }, referralId });
  }
}
