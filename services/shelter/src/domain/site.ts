import { type EventOf, Id, PlacementClass, privateEvent, Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

/** A name of a site, room or bed inside the shelter; a code, so that no address is written into it by habit. */
export const PlaceCode = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,19}$/);

const Classes = z.array(PlacementClass).min(1).max(4);

/** Sites are the shelter's own affair: nothing about them is ever published but a band of free places. */
export const siteEvents = {
  SiteOpened: privateEvent('shelter.site-opened.v1', z.strictObject({
    siteId: Id, organisationId: Id, serviceId: Id, code: PlaceCode, addressVersion: z.int().min(1),
    rooms: z.array(z.strictObject({ code: PlaceCode, placementClasses: Classes, beds: z.array(z.strictObject({ bedId: Id, code: PlaceCode })).min(1).max(50) })).min(1).max(50),
  })),
} as const;

export type SiteEvent = EventOf<typeof siteEvents>;
export type OpenedSite = z.infer<typeof siteEvents.SiteOpened.data>;
export type Site = { readonly status: 'none' } | { readonly status: 'open'; readonly site: OpenedSite };

export const siteDecider: Decider<Site, SiteEvent> = {
  initial: { status: 'none' },
  evolve: (state, event) => (event.type === 'shelter.site-opened.v1' ? { status: 'open', site: event.data } : state),
};

/** The address itself is sealed beside this event; `serves` says whether the service belongs to the organisation. */
export function openSite(state: Site, site: OpenedSite, serves: boolean): readonly SiteEvent[] | Refusal {
  if (state.status !== 'none') return new Refusal('illegal-transition');
  if (!serves) return new Refusal('service-unknown', { errors: [{ pointer: '/serviceId', code: 'service-unknown' }], retryAfterSeconds: 1 });
  return [{ type: 'shelter.site-opened.v1', data: site }];
}

export interface FreeBed {
  readonly bedId: string;
  readonly siteId: string;
  readonly roomCode: string;
}

/**
 * Beds for a household, all in one site or none at all: in the room with the fewest free beds that takes everybody, else in the
 * site with the fewest that does. Families stay together, and larger gaps are left for larger families.
 */
export function chooseBeds(free: readonly FreeBed[], count: number): readonly FreeBed[] | undefined {
  const byRoom = (bed: FreeBed): string => `${bed.siteId}/${bed.roomCode}`;
  const groups = [...grouped(free, byRoom), ...grouped(free, (bed) => bed.siteId)];
  return groups.find((beds) => beds.length >= count)?.slice(0, count);
}

/** Groups of beds, the smallest first; equal ones in a fixed order. */
function grouped(beds: readonly FreeBed[], keyOf: (bed: FreeBed) => string): FreeBed[][] {
  const groups = new Map<string, FreeBed[]>();
  for (const bed of beds) groups.set(keyOf(bed), [...(groups.get(keyOf(bed)) ?? []), bed]);
  return [...groups.entries()].sort(([a, x], [b, y]) => x.length - y.length || (a < b ? -1 : 1)).map(([, group]) => group);
}
