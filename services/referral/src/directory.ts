import { Injectable } from '@nestjs/common';
import { directoryEvents, type EventDefinition } from '@amana/contracts';
import type { Statement, StoredEvent } from '@amana/persistence';
import { type Aggregate, type Projection, Stream, StreamEngine } from '@amana/service';
import { z } from 'zod';
import { directoryDecider, type DirectoryEntry, type DirectoryEvent, DirectoryImported } from './domain/directory.ts';

export const ImportAnswer = z.object({ importId: z.string(), organisations: z.int(), services: z.int() }).meta({ id: 'DirectoryImportAnswer' });
export type ImportAnswer = z.infer<typeof ImportAnswer>;

const aggregate: Aggregate<DirectoryEntry, DirectoryEvent, ImportAnswer> = {
  ...directoryDecider,
  name: 'directory-entry',
  events: [...Object.values(directoryEvents), DirectoryImported] as EventDefinition[],
  relations: () => ['network'],
  answer: (state, importId) => ({ importId, organisations: state.kind === 'import' ? state.organisations : 0, services: state.kind === 'import' ? state.services : 0 }),
  subject: (_state, id) => ({ publicId: id }),
};

/** The directory: each organisation and each service is a stream of what was listed about it. */
@Injectable()
export class Directory extends Stream<DirectoryEntry, DirectoryEvent, ImportAnswer> {
  constructor(engine: StreamEngine) {
    super(engine, aggregate);
  }
}

type Organisation = z.infer<typeof directoryEvents.OrganisationListed.data>;
type Service = z.infer<typeof directoryEvents.ServiceListed.data>;

/** The directory as it is searched. */
export const directoryTables: Projection = {
  on: ['referral.organisation-listed.v1', 'referral.service-listed.v1'],
  project: (event: StoredEvent) => [event.type === 'referral.organisation-listed.v1' ? keepOrganisation(event.data as Organisation) : keepService(event.data as Service)],
};

function keepOrganisation(data: Organisation): Statement {
  return {
    name: 'directory-organisation', values: [data.organisationId, data.name, data.status, data.protocolVersion ?? null, data.ceiling],
    text: `INSERT INTO organisation (organisation_id, name, status, protocol_version, ceiling) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (organisation_id) DO UPDATE SET name = $2, status = $3, protocol_version = $4, ceiling = $5`,
  };
}

function keepService(data: Service): Statement {
  return {
    name: 'directory-service',
    values: [data.serviceId, data.organisationId, data.kind, data.name, data.status, data.minimumAge ?? null, data.maximumAge ?? null, data.sexes, data.families, data.languages, data.regions, data.assuredOn ?? null,
      data.capacity?.statusCode ?? null, data.capacity?.band ?? null, data.capacity?.asOf ?? null],
    text: `INSERT INTO service (service_id, organisation_id, kind, name, status, minimum_age, maximum_age, sexes, families, languages, regions, assured_on, capacity_status, capacity_band, capacity_as_of)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
      ON CONFLICT (service_id) DO UPDATE SET organisation_id = $2, kind = $3, name = $4, status = $5, minimum_age = $6, maximum_age = $7, sexes = $8, families = $9, languages = $10, regions = $11, assured_on = $12,
        capacity_status = CASE WHEN $15::timestamptz > COALESCE(service.capacity_as_of, '-infinity') THEN $13 ELSE service.capacity_status END,
        capacity_band = CASE WHEN $15::timestamptz > COALESCE(service.capacity_as_of, '-infinity') THEN $14 ELSE service.capacity_band END,
        capacity_as_of = GREATEST($15::timestamptz, service.capacity_as_of)`,
  };
}
