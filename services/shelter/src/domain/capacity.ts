import { type CapacityBand, type EventOf, shelterEvents } from '@amana/contracts';
import type { Decider } from '@amana/decider';

/** The one thing the network learns about a shelter's beds: a band per service, never per site or room. */
export const capacityEvents = { CapacityChanged: shelterEvents.CapacityChanged } as const;
export type CapacityEvent = EventOf<typeof capacityEvents>;

export type Capacity = { readonly status: 'none' } | { readonly status: 'told'; readonly band: CapacityBand };

export const capacityDecider: Decider<Capacity, CapacityEvent> = {
  initial: { status: 'none' },
  evolve: (state, event) => (event.type === 'shelter.capacity-changed.v1' ? { status: 'told', band: event.data.band } : state),
};

/** Bands are wide on purpose: watching them must not tell when one person comes or goes. */
export function bandOf(freeBeds: number): CapacityBand {
  if (freeBeds <= 0) return '0';
  if (freeBeds <= 2) return '1-2';
  return freeBeds <= 5 ? '3-5' : '6+';
}

/** Tells the network only what it does not know yet. */
export function tellCapacity(state: Capacity, service: { serviceId: string; freeBeds: number }, now: Date): readonly CapacityEvent[] {
  const band = bandOf(service.freeBeds);
  if (state.status === 'told' && state.band === band) return [];
  return [{ type: 'shelter.capacity-changed.v1', data: { serviceId: service.serviceId, statusCode: band === '0' ? 'no-capacity' : 'capacity', band, asOf: now.toISOString() } }];
}
