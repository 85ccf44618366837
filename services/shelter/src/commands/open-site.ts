import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { Id, PlacementClass, Refusal } from '@amana/contracts';
import { SealedStore } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { openSite, PlaceCode } from '../domain/site.ts';
import { addressField, servesFor, SiteAnswer, Sites } from '../sites.ts';

/** More beds under one roof would be no shelter; they are also all locked while one of them is chosen. */
const maxBeds = 50;
const uniqueCodes = (items: readonly { code: string }[]): boolean => new Set(items.map((item) => item.code)).size === items.length;

const Classes = z.array(PlacementClass).min(1).max(4);
const NewRoom = z.strictObject({
  code: PlaceCode, placementClasses: Classes.optional().describe('Where a room takes others than the site as a whole'),
  beds: z.array(z.strictObject({ code: PlaceCode })).min(1).max(maxBeds).refine(uniqueCodes, 'The codes of the beds of a room must differ'),
});

export const NewSite = z.strictObject({
  serviceId: Id, code: PlaceCode, address: z.string().trim().min(1).max(500).describe('Secret: sealed at once, shown to the staff of this shelter only'), placementClasses: Classes,
  rooms: z.array(NewRoom).min(1).max(maxBeds).refine(uniqueCodes, 'The codes of the rooms must differ')
    .refine((rooms) => rooms.reduce((sum, room) => sum + room.beds.length, 0) <= maxBeds, `A site has ${maxBeds} beds at most`),
}).meta({ id: 'NewSite' });
export type NewSite = z.infer<typeof NewSite>;

@Controller()
export class OpenSite {
  readonly #sites: Sites;
  readonly #sealed: SealedStore;

  constructor(sites: Sites, sealed: SealedStore) {
    this.#sites = sites;
    this.#sealed = sealed;
  }

  @Command('POST /v1/shelter/:organisationId/sites', { summary: 'Open a house with its rooms and beds', creates: true, body: NewSite, answer: SiteAnswer, refusals: ['service-unknown'] })
  @Allow('site.manage')
  async open(@TheAct() act: Act<NewSite>): Promise<SiteAnswer> {
    const answer = await this.#sites.create(act, async (state, body, { tx, id }) => {
      const rooms = body.rooms.map((room) => ({
        code: room.code, placementClasses: room.placementClasses ?? body.placementClasses, beds: room.beds.map(({ code }) => ({ bedId: randomUUID(), code })),
      }));
      const site = { siteId: id, organisationId: act.organisationId, serviceId: body.serviceId, code: body.code, addressVersion: 1, rooms };
      const decision = openSite(state, site, await servesFor(tx, site));
      if (!(decision instanceof Refusal)) await this.#sealed.put(tx, { caseId: id, field: addressField, version: 1 }, body.address);
      return decision;
    });
    act.header('location', `/v1/shelter/${act.organisationId}/sites/${answer.siteId}`);
    return answer;
  }
}
