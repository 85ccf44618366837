import { CapacityBand, CapacityStatus, DataCategory, Day, Id, Instant, Language, Region, ServiceKind, Sex } from '@amana/contracts';
import { z } from 'zod';
import { readJsonFile, UnusableFile } from './json-file.ts';

const DAY_MS = 86_400_000;
/** What `MA` as a service area means: the twelve regions of ISO 3166-2 as they stand since 2015. */
const REGIONS_OF_MOROCCO = Array.from({ length: 12 }, (_, index) => `MA-${String(index + 1).padStart(2, '0')}`);

export const OrganisationKind = z.enum([
  'association', 'shelter', 'clinic', 'psychosocial-provider', 'training-provider', 'legal-aid-provider', 'coordinator', 'auditor', 'operator',
]);
export type OrganisationKind = z.infer<typeof OrganisationKind>;

export interface DirectoryOrganisation {
  readonly organisationId: string;
  readonly name: string;
  readonly kind: OrganisationKind;
  /** An ISO 3166-2 region, or `MA` for the whole country. */
  readonly region: string;
  readonly protocols: readonly { readonly id: string; readonly version: string; readonly signedOn: string; readonly ceiling: readonly DataCategory[] }[];
}

export interface DirectoryService {
  readonly serviceId: string;
  readonly organisationId: string;
  readonly kind: ServiceKind;
  readonly name: string;
  readonly languages: readonly string[];
  readonly minimumAge: number | undefined;
  readonly maximumAge: number | undefined;
  readonly sexes: readonly Sex[];
  /** Whether a person with dependants is taken in. */
  readonly families: boolean;
  readonly regions: readonly string[];
  readonly status: 'active' | 'inactive' | 'defunct' | 'temporarily closed';
  readonly assuredOn: string | undefined;
  readonly capacity: { readonly statusCode: CapacityStatus; readonly band: CapacityBand; readonly asOf: string } | undefined;
}

export interface Directory {
  readonly organisations: readonly DirectoryOrganisation[];
  readonly services: readonly DirectoryService[];
}

const text = z.string().min(1).max(500);
const NationOrRegion = z.union([z.literal('MA'), Region]);
const Age = z.int().min(0).max(150);
const ClockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);
const Attribute = z.strictObject({ id: Id, taxonomy_term_id: Id });

// Strict on purpose: a `locations`, `phones` or `contacts` table is a fault here, not a field to skip,
// because a shelter's place or a worker's number in a directory file reaches everybody who has the file.
const HsdsService = z.strictObject({
  id: Id,
  name: text,
  description: text,
  status: z.enum(['active', 'inactive', 'defunct', 'temporarily closed']),
  minimum_age: Age.optional(),
  maximum_age: Age.optional(),
  eligibility_description: text.optional(),
  interpretation_services: text.optional(),
  application_process: text.optional(),
  wait_time: text.optional(),
  assured_date: Day.optional(),
  languages: z.array(z.strictObject({ id: Id, code: Language, name: text })).min(1).max(40),
  service_areas: z.array(z.strictObject({ id: Id, name: text, extent: NationOrRegion, extent_type: z.literal('text') })).min(1).max(40),
  schedules: z.array(z.strictObject({
    id: Id, freq: z.enum(['WEEKLY', 'MONTHLY']), interval: z.int().min(1).max(12), wkst: z.literal('MO'),
    byday: z.string().regex(/^(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU)){0,6}$/), opens_at: ClockTime, closes_at: ClockTime,
    timezone: z.number().min(-12).max(14), valid_from: Day.optional(), valid_to: Day.optional(),
  })).max(20),
  attributes: z.array(Attribute).min(1).max(20),
  'x-amana-capacity': z.strictObject({ statusCode: CapacityStatus, band: CapacityBand, asOf: Instant }).optional(),
});

const HsdsOrganisation = z.strictObject({
  id: Id,
  name: text,
  description: text,
  attributes: z.array(Attribute).min(1).max(20),
  'x-amana-region': NationOrRegion,
  'x-amana-protocol': z.strictObject({ id: Id, version: z.string().min(1).max(20), signedOn: Day, ceiling: z.array(DataCategory).max(20) }).optional(),
  services: z.array(HsdsService).max(50),
});

const HsdsFile = z.strictObject({
  'x-amana-note': text,
  'x-amana-reference-date': Day,
  'x-amana-zone': text,
  taxonomy_terms: z.array(z.strictObject({ id: Id, code: text, name: text, description: text, taxonomy: text })).max(500),
  organizations: z.array(HsdsOrganisation).min(1).max(1000),
});
type HsdsFile = z.infer<typeof HsdsFile>;

/**
 * Reads a directory in the fields of HSDS 3.0 plus our extensions. With `startsAt` every date of an assurance or
 * a capacity moves by the whole days between the file's reference date and that instant, so that an invented
 * network is as fresh, or as stale, on any day it starts. Throws UnusableFile with path and pointer of each fault:
 * an unknown field, an unknown code, an id used twice, a place or phone of anybody.
 */
export async function readDirectoryFile(path: string, startsAt?: Date): Promise<Directory> {
  const file = await readJsonFile(path, HsdsFile);
  const faults: { pointer: string; reason: string }[] = [];
  const codes = new CodesOfTerms(file, faults);
  const shiftDays = startsAt ? Math.floor((startsAt.getTime() - Date.parse(file['x-amana-reference-date'])) / DAY_MS) : 0;
  const organisations: DirectoryOrganisation[] = [];
  const services: DirectoryService[] = [];
  const seen = new Set<string>();
  const once = (id: string, pointer: string): void => {
    if (seen.has(id)) faults.push({ pointer: `${pointer}/id`, reason: 'is used twice' });
    seen.add(id);
  };
  file.organizations.forEach((organisation, index) => {
    const pointer = `/organizations/${index}`;
    once(organisation.id, pointer);
    const protocol = organisation['x-amana-protocol'];
    organisations.push({
      organisationId: organisation.id, name: organisation.name, region: organisation['x-amana-region'], protocols: protocol ? [protocol] : [],
      kind: codes.one(organisation.attributes, 'amana-organisation-kind', { pointer, schema: OrganisationKind }) ?? 'association',
    });
    organisation.services.forEach((service, at) => {
      once(service.id, `${pointer}/services/${at}`);
      services.push(serviceOf(service, { organisationId: organisation.id, pointer: `${pointer}/services/${at}`, codes, shiftDays }));
    });
  });
  if (faults.length > 0) throw new UnusableFile(path, faults);
  return { organisations, services };
}

/** The directory as the body of `POST /v1/referral/directory-imports`: what the network lists, without kinds and regions of organisations. */
export function directoryImportOf({ organisations, services }: Directory) {
  return {
    organisations: organisations.map(({ organisationId, name, protocols: [protocol] }) => ({
      organisationId, name, status: 'active' as const, ceiling: protocol?.ceiling ?? [], ...(protocol ? { protocolVersion: protocol.version } : {}),
    })),
    services,
  };
}

function serviceOf(service: z.infer<typeof HsdsService>, at: { organisationId: string; pointer: string; codes: CodesOfTerms; shiftDays: number }): DirectoryService {
  const { codes, pointer, shiftDays } = at;
  const capacity = service['x-amana-capacity'];
  return {
    serviceId: service.id,
    organisationId: at.organisationId,
    kind: codes.one(service.attributes, 'amana-service-kind', { pointer, schema: ServiceKind }) ?? 'coordination',
    name: service.name,
    languages: service.languages.map(({ code }) => code),
    minimumAge: service.minimum_age,
    maximumAge: service.maximum_age,
    sexes: codes.all(service.attributes, 'amana-accepted-sex', { pointer, schema: Sex }),
    families: codes.all(service.attributes, 'amana-family-acceptance', { pointer, schema: z.enum(['alone', 'with-dependants']) }).includes('with-dependants'),
    regions: [...new Set(service.service_areas.flatMap(({ extent }) => (extent === 'MA' ? REGIONS_OF_MOROCCO : [extent])))],
    status: service.status,
    assuredOn: service.assured_date && shifted(service.assured_date, shiftDays).slice(0, 10),
    capacity: capacity && { ...capacity, asOf: shifted(capacity.asOf, shiftDays) },
  };
}

function shifted(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString();
}

/** Taxonomy terms by id, and what an entity's attributes say in one taxonomy; faults are collected, not thrown. */
class CodesOfTerms {
  readonly #terms: ReadonlyMap<string, { taxonomy: string; code: string }>;
  readonly #faults: { pointer: string; reason: string }[];

  constructor(file: HsdsFile, faults: { pointer: string; reason: string }[]) {
    this.#terms = new Map(file.taxonomy_terms.map((term) => [term.id, term]));
    this.#faults = faults;
  }

  all<T extends string>(attributes: readonly { taxonomy_term_id: string }[], taxonomy: string, at: { pointer: string; schema: z.ZodType<T> }): T[] {
    return attributes.flatMap(({ taxonomy_term_id: id }, index) => {
      const pointer = `${at.pointer}/attributes/${index}/taxonomy_term_id`;
      const term = this.#terms.get(id);
      if (!term) this.#note(pointer, 'names no taxonomy term of this file');
      if (term?.taxonomy !== taxonomy) return [];
      const code = at.schema.safeParse(term.code);
      if (!code.success) this.#note(pointer, `its code is not one of ${taxonomy}`);
      return code.success ? [code.data] : [];
    });
  }

  one<T extends string>(attributes: readonly { taxonomy_term_id: string }[], taxonomy: string, at: { pointer: string; schema: z.ZodType<T> }): T | undefined {
    const codes = this.all(attributes, taxonomy, at);
    if (codes.length !== 1) this.#note(`${at.pointer}/attributes`, `must name exactly one ${taxonomy}`);
    return codes[0];
  }

  #note(pointer: string, reason: string): void {
    if (!this.#faults.some((fault) => fault.pointer === pointer && fault.reason === reason)) this.#faults.push({ pointer, reason });
  }
}
