import { Injectable } from '@nestjs/common';
import { type EventDefinition } from '@amana/contracts';
import type { Transaction } from '@amana/persistence';
import { type Aggregate, Stream, StreamEngine } from '@amana/service';
import { type Capacity, capacityDecider, type CapacityEvent, capacityEvents } from './domain/capacity.ts';

const aggregate: Aggregate<Capacity, CapacityEvent, Record<string, never>> = {
  ...capacityDecider,
  name: 'capacity',
  events: Object.values(capacityEvents) as EventDefinition[],
  relations: () => [],
  answer: () => ({}),
  subject: (_state, serviceId) => ({ publicId: serviceId }),
};

/** What the network was last told about a service's free beds: one stream per service, named by the service's id. */
@Injectable()
export class Capacities extends Stream<Capacity, CapacityEvent, Record<string, never>> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

export interface ServiceBeds {
  readonly serviceId: string;
  readonly freeBeds: number;
}

/** The free beds of each service of an organisation that has any bed at all. */
export async function countFreeBeds(tx: Transaction, organisationId: string): Promise<ServiceBeds[]> {
  const rows = await tx.query({
    name: 'shelter-count-free', values: [organisationId],
    text: `SELECT b.service_id, (count(*) FILTER (WHERE h.bed_id IS NULL))::int AS free FROM bed b JOIN site s USING (site_id)
        LEFT JOIN bed_hold h ON h.bed_id = b.bed_id AND h.state IN ('unconfirmed', 'confirmed', 'occupied')
      WHERE s.organisation_id = $1 GROUP BY b.service_id ORDER BY b.service_id LIMIT 100`,
  });
  return rows.map((row) => ({ serviceId: row.service_id as string, freeBeds: row.free as number }));
}
