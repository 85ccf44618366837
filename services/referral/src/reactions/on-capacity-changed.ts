import { Controller } from '@nestjs/common';
import type { shelterEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';

/** The directory shows a shelter's band of free places as the shelter last said it. */
@Controller()
export class OnCapacityChanged {
  @Reaction('shelter.capacity-changed.v1')
  async onCapacityChanged(event: ReceivedEvent<z.infer<typeof shelterEvents.CapacityChanged.data>>, context: InboxContext): Promise<void> {
    const { serviceId, statusCode, band, asOf } = event.data;
    context.getTransaction().write({
      name: 'keep-capacity', values: [serviceId, statusCode, band, asOf],
      text: `UPDATE service SET capacity_status = $2, capacity_band = $3, capacity_as_of = $4
        WHERE service_id = $1 AND (capacity_as_of IS NULL OR capacity_as_of <= $4)`,
    });
  }
}
