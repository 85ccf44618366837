import { Controller } from '@nestjs/common';
import { AgeBand, DataCategory, Language, Region, ServiceKind, Sex } from '@amana/contracts';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { Clock } from '@amana/persistence';
import { z } from 'zod';
import { type Listed, match } from '../domain/directory.ts';

/** Facts about her that a search takes. They travel in the body, never in a URL, and are not kept. */
export const MatchRequest = z.strictObject({
  kind: ServiceKind, sex: Sex, ageBand: AgeBand, languages: z.array(Language).max(10), dependantsCount: z.int().min(0).max(20).default(0), region: Region,
}).meta({ id: 'MatchRequest' });

const Matches = z.object({
  items: z.array(z.object({ serviceId: z.string(), organisationId: z.string(), name: z.string(), fits: z.boolean(),
    reasons: z.array(z.string()).describe('What stands against it, such as not-eligible-age or out-of-area; where it fits: eligible, and speaks-<language>'),
    warnings: z.array(z.string()).describe('What to ask before, such as waitlist, no-capacity or interpreter-needed'),
  })),
}).meta({ id: 'Matches' });

const Entries = z.object({
  items: z.array(z.object({
    organisationId: z.string(), name: z.string(), status: z.string(), protocolVersion: z.string().optional(), ceiling: z.array(DataCategory).describe('The categories that a consent may open to it'),
    services: z.array(z.object({ serviceId: z.string(), kind: z.string(), name: z.string(), status: z.string() })) })),
}).meta({ id: 'DirectoryEntries' });

const listed = {
  name: 'directory-all', values: [],
  text: `SELECT s.service_id AS "serviceId", s.organisation_id AS "organisationId", s.name, s.kind, s.status, o.status AS "organisationStatus", o.protocol_version AS "protocolVersion",
      s.minimum_age AS "minimumAge", s.maximum_age AS "maximumAge", s.sexes, s.families, s.languages, s.regions, s.capacity_status AS "capacityStatus", s.capacity_band AS "capacityBand",
      s.capacity_as_of AS "capacityAsOf", s.assured_on::text AS "assuredOn"
    FROM service s JOIN organisation o USING (organisation_id) ORDER BY s.service_id LIMIT 1000`,
};

@Controller()
export class FindServices {
  readonly #looks: Looks;
  readonly #clock: Clock;

  constructor(looks: Looks, clock: Clock) {
    this.#looks = looks;
    this.#clock = clock;
  }

  @Read('POST /v1/referral/matches', { summary: 'Which services can take her, and why or why not', body: MatchRequest, answer: Matches })
  @Allow('referral.match')
  match(@TheAct() act: Act<z.infer<typeof MatchRequest>>) {
    const needs = act.body;
    return this.#looks.show(act, [listed], ([rows]) => ({ answer: { items: match(rows as unknown as Listed[], needs, this.#clock.business()) }, subjects: [] }));
  }

  @Read('GET /v1/referral/directory', { summary: 'Organisations of the network and what they offer', answer: Entries })
  @Allow('directory.read')
  directory(@TheAct() act: Act) {
    const organisations = { name: 'directory-organisations', text: 'SELECT organisation_id, name, status, protocol_version, ceiling FROM organisation ORDER BY name LIMIT 500', values: [] };
    return this.#looks.show(act, [organisations, listed], ([rows, services]) => ({
      answer: {
        items: rows!.map((row) => ({
          organisationId: row.organisation_id as string, name: row.name as string, status: row.status as string, protocolVersion: (row.protocol_version as string | null) ?? undefined, ceiling: row.ceiling as DataCategory[],
          services: (services as unknown as Listed[]).filter((service) => service.organisationId === row.organisation_id).map(({ serviceId, kind, name, status }) => ({ serviceId, kind, name, status })),
        })),
      },
      subjects: [],
    }));
  }
}
