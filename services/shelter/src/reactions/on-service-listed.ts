import { Controller } from '@nestjs/common';
import type { directoryEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';

/** Which services are shelters, and whose: beds are opened and capacity is told only for one's own. */
@Controller()
export class OnServiceListed {
  @Reaction('referral.service-listed.v1')
  async onListed(event: ReceivedEvent<z.infer<typeof directoryEvents.ServiceListed.data>>, context: InboxContext): Promise<void> {
    const { serviceId, organisationId, kind } = event.data;
    const tx = context.getTransaction();
    if (kind === 'shelter') {
      tx.write({
        name: 'shelter-service-keep', values: [serviceId, organisationId],
        text: 'INSERT INTO shelter_service (service_id, organisation_id) VALUES ($1, $2) ON CONFLICT (service_id) DO UPDATE SET organisation_id = $2',
      });
      return;
    }
    tx.write({ name: 'shelter-service-drop', text: 'DELETE FROM shelter_service WHERE service_id = $1', values: [serviceId] });
  }
}
