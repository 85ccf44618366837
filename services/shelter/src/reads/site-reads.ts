import { Controller } from '@nestjs/common';
import { Id, Refusal } from '@amana/contracts';
import { type Row, SealedStore } from '@amana/persistence';
import { type Act, Allow, etagOf, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { addressField, Sites } from '../sites.ts';

const RoomView = z.object({ code: z.string(), placementClasses: z.array(z.string()), beds: z.array(z.object({ bedId: Id, code: z.string(), free: z.boolean() })) });
const SiteView = z.object({ siteId: Id, serviceId: Id, code: z.string(), rooms: z.array(RoomView) }).meta({ id: 'SiteView' });
type SiteView = z.infer<typeof SiteView>;
const SiteList = z.object({ items: z.array(SiteView) }).meta({ id: 'SiteList' });
const SiteWithAddress = SiteView.extend({ address: z.string(), version: z.int() }).meta({ id: 'SiteWithAddress' });
type SiteWithAddress = z.infer<typeof SiteWithAddress>;

const bedsOf = (organisationId: string, siteId: string | null) => ({
  name: 'shelter-site-beds', values: [organisationId, siteId],
  text: `SELECT s.site_id, s.service_id, s.code AS site_code, b.bed_id, b.room_code, b.code, b.placement_classes,
      NOT EXISTS (SELECT 1 FROM bed_hold h WHERE h.bed_id = b.bed_id AND h.state IN ('unconfirmed', 'confirmed', 'occupied')) AS free
    FROM site s JOIN bed b USING (site_id) WHERE s.organisation_id = $1 AND ($2::uuid IS NULL OR s.site_id = $2) ORDER BY s.code, s.site_id, b.room_code, b.code LIMIT 2000`,
});

@Controller()
export class SiteReads {
  readonly #looks: Looks;
  readonly #sites: Sites;
  readonly #sealed: SealedStore;

  constructor(looks: Looks, sites: Sites, sealed: SealedStore) {
    this.#looks = looks;
    this.#sites = sites;
    this.#sealed = sealed;
  }

  @Read('GET /v1/shelter/:organisationId/sites', { summary: 'Your houses with their rooms and beds, without addresses', answer: SiteList })
  @Allow('site.read')
  async list(@TheAct() act: Act): Promise<z.infer<typeof SiteList>> {
    await this.#looks.require(act, act.id('organisationId') === act.organisationId ? ['own'] : [], { type: 'organisation', aggregateId: act.id('organisationId') });
    return await this.#looks.show(act, [bedsOf(act.organisationId, null)], ([rows]) => {
      const items = toSites(rows!);
      return { answer: { items }, subjects: items.map((site) => ({ type: 'site', aggregateId: site.siteId })) };
    });
  }

  /** The one place where an address is answered: to the staff of the house, after it stands on record who looked. */
  @Read('GET /v1/shelter/:organisationId/sites/:siteId', { summary: 'One of your houses, with its address', answer: SiteWithAddress })
  @Allow('site.read')
  async one(@TheAct() act: Act): Promise<SiteWithAddress> {
    const siteId = act.id('siteId');
    const shown = await this.#looks.show(act, [bedsOf(act.organisationId, siteId)], async ([rows], tx) => {
      const { state, version } = await this.#sites.load(tx, siteId);
      const subject = { type: 'site', aggregateId: siteId, version };
      await this.#looks.require(act, this.#sites.aggregate.relations(state, act.organisationId, act.params), subject);
      const address = await this.#sealed.find<string>(tx, { caseId: siteId, field: addressField, version: 1 });
      const [site] = toSites(rows!);
      if (!site || !address) throw new Refusal('gone');
      return { answer: { site, address, version }, subjects: [subject] };
    });
    act.header('etag', etagOf(shown.version));
    return { ...shown.site, address: shown.address.reveal(), version: shown.version };
  }
}

function toSites(rows: readonly Row[]): SiteView[] {
  const sites = new Map<string, SiteView>();
  for (const row of rows) {
    const siteId = row.site_id as string;
    const site = sites.get(siteId) ?? { siteId, serviceId: row.service_id as string, code: row.site_code as string, rooms: [] };
    sites.set(siteId, site);
    let room = site.rooms.find((known) => known.code === row.room_code);
    if (!room) site.rooms.push(room = { code: row.room_code as string, placementClasses: row.placement_classes as string[], beds: [] });
    room.beds.push({ bedId: row.bed_id as string, code: row.code as string, free: row.free as boolean });
  }
  return [...sites.values()];
}
