import { Controller } from '@nestjs/common';
import type { directoryEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';

/** Whom she may name: who is listed, which protocol they signed and what it lets them receive. */
@Controller()
export class OnDirectory {
  @Reaction('referral.organisation-listed.v1')
  async onOrganisation({ data }: ReceivedEvent<z.infer<typeof directoryEvents.OrganisationListed.data>>, context: InboxContext): Promise<void> {
    context.getTransaction().write({
      name: 'directory-organisation', values: [data.organisationId, data.status, data.protocolVersion ?? null, data.ceiling],
      text: `INSERT INTO organisation (organisation_id, status, protocol_version, ceiling) VALUES ($1, $2, $3, $4)
        ON CONFLICT (organisation_id) DO UPDATE SET status = $2, protocol_version = $3, ceiling = $4`,
    });
  }

  @Reaction('referral.service-listed.v1')
  async onService({ data }: ReceivedEvent<z.infer<typeof directoryEvents.ServiceListed.data>>, context: InboxContext): Promise<void> {
    context.getTransaction().write({
      name: 'directory-service', values: [data.serviceId, data.organisationId, data.status],
      text: `INSERT INTO service (service_id, organisation_id, status) VALUES ($1, $2, $3)
        ON CONFLICT (service_id) DO UPDATE SET organisation_id = $2, status = $3`,
    });
  }
}
