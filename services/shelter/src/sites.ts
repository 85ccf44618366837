import { Injectable } from '@nestjs/common';
import { type EventDefinition, Id } from '@amana/contracts';
import { scheduleDue, type Statement, type StoredEvent, type Transaction } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { type FreeBed, type OpenedSite, type Site, siteDecider, type SiteEvent, siteEvents } from './domain/site.ts';

export const SiteAnswer = z.object({ siteId: Id, version: z.int() }).meta({ id: 'SiteAnswer' });
export type SiteAnswer = z.infer<typeof SiteAnswer>;

/** The field under which a site's address is sealed, with the site's own key. */
export const addressField = 'address';

/** Beds are counted again a moment after something changed them: one row per organisation, however much changed. */
export const recountKind = 'shelter.recount';

const aggregate: Aggregate<Site, SiteEvent, SiteAnswer> = {
  ...siteDecider,
  name: 'site',
  events: Object.values(siteEvents) as EventDefinition[],
  relations(state, organisationId, params) {
    if (params.organisationId !== organisationId) return [];
    if (state.status === 'none') return params.siteId === undefined ? ['own'] : [];
    return state.site.organisationId === organisationId ? ['own'] : [];
  },
  answer: (_state, siteId, version) => ({ siteId, version }),
  // Without a public id: even the id of a house is nobody's business outside.
  subject: () => ({}),
};

/** The houses of the shelters, each its own stream. */
@Injectable()
export class Sites extends Stream<Site, SiteEvent, SiteAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

/** Sites and beds as they are searched. */
export const siteTables: Projection = {
  on: ['shelter.site-opened.v1'],
  project(event: StoredEvent): readonly Statement[] {
    const site = event.data as OpenedSite;
    const beds = site.rooms.flatMap((room) => room.beds.map((bed) => ({ bed_id: bed.bedId, room_code: room.code, code: bed.code, placement_classes: room.placementClasses })));
    return [
      { name: 'shelter-site-add', values: [site.siteId, site.organisationId, site.serviceId, site.code], text: 'INSERT INTO site (site_id, organisation_id, service_id, code) VALUES ($1, $2, $3, $4)' },
      {
        name: 'shelter-beds-add', values: [site.siteId, site.serviceId, JSON.stringify(beds)],
        text: `INSERT INTO bed (bed_id, site_id, service_id, room_code, code, placement_classes)
          SELECT bed_id, $1, $2, room_code, code, placement_classes FROM jsonb_to_recordset($3::jsonb) AS r (bed_id uuid, room_code text, code text, placement_classes text[])`,
      },
      scheduleDue({ kind: recountKind, key: site.organisationId, at: event.at, clock: 'business' }),
    ];
  },
};

/** Whether the directory lists this service as the organisation's own: nobody speaks for another's capacity. */
export async function servesFor(tx: Transaction, service: { serviceId: string; organisationId: string }): Promise<boolean> {
  const rows = await tx.query({ name: 'shelter-serves', values: [service.serviceId, service.organisationId], text: 'SELECT 1 FROM shelter_service WHERE service_id = $1 AND organisation_id = $2' });
  return rows.length > 0;
}

/**
 * The free beds of a service that take this class, locked, so that takers of one class stand in line and never wait for
 * each other. Who had to wait may still see beds that were taken meanwhile: the constraint then refuses them, and
 * `afresh` stands in line first and looks afterwards.
 */
export async function freeBeds(tx: Transaction, wanted: { serviceId: string; placementClass: string; afresh: boolean }): Promise<FreeBed[]> {
  const values = [wanted.serviceId, wanted.placementClass];
  if (wanted.afresh) await tx.query({ name: 'shelter-beds-line-up', values, text: 'SELECT 1 FROM bed WHERE service_id = $1 AND $2 = ANY(placement_classes) ORDER BY bed_id LIMIT 500 FOR UPDATE' });
  const rows = await tx.query({
    name: 'shelter-free-beds', values,
    text: `SELECT b.bed_id, b.site_id, b.room_code FROM bed b WHERE b.service_id = $1 AND $2 = ANY(b.placement_classes)
        AND NOT EXISTS (SELECT 1 FROM bed_hold h WHERE h.bed_id = b.bed_id AND h.state IN ('unconfirmed', 'confirmed', 'occupied'))
      ORDER BY b.bed_id LIMIT 500 FOR UPDATE OF b`,
  });
  return rows.map((row) => ({ bedId: row.bed_id as string, siteId: row.site_id as string, roomCode: row.room_code as string }));
}
