import { Controller } from '@nestjs/common';
import type { shelterEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';

type Acknowledged = z.infer<typeof shelterEvents.ConsentWithdrawalAcknowledged.data>;
type Attested = z.infer<typeof shelterEvents.DataDisposalAttested.data>;

/** After a withdrawal each holder says that it has read it, and later what it did with what it held. */
@Controller()
export class OnHolder {
  @Reaction('shelter.consent-withdrawal-acknowledged.v1', 'health.consent-withdrawal-acknowledged.v1')
  async onAcknowledged({ data, at }: ReceivedEvent<Acknowledged>, context: InboxContext): Promise<void> {
    context.getTransaction().write({
      name: 'holder-acknowledged', values: [data.consentRef, data.organisationId, at],
      text: `INSERT INTO consent_holder (consent_ref, organisation_id, acknowledged_at) SELECT consent_ref, $2::uuid, $3::timestamptz FROM consent WHERE consent_ref = $1
        ON CONFLICT (consent_ref, organisation_id) DO UPDATE SET acknowledged_at = COALESCE(consent_holder.acknowledged_at, EXCLUDED.acknowledged_at)`,
    });
  }

  @Reaction('shelter.data-disposal-attested.v1', 'health.data-disposal-attested.v1')
  async onAttested({ data, at }: ReceivedEvent<Attested>, context: InboxContext): Promise<void> {
    context.getTransaction().write({
      name: 'holder-attested', values: [data.consentRef, data.organisationId, data.disposition, at],
      text: `INSERT INTO consent_holder (consent_ref, organisation_id, disposition, attested_at) SELECT consent_ref, $2::uuid, $3::text, $4::timestamptz FROM consent WHERE consent_ref = $1
        ON CONFLICT (consent_ref, organisation_id) DO UPDATE SET disposition = EXCLUDED.disposition, attested_at = EXCLUDED.attested_at`,
    });
  }
}
