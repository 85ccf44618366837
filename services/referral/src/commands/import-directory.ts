import { Controller } from '@nestjs/common';
import { directoryEvents, refuseField } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { Directory, ImportAnswer } from '../directory.ts';
import { type DirectoryEvent, list } from '../domain/directory.ts';

export const DirectoryImport = z.strictObject({
  organisations: z.array(directoryEvents.OrganisationListed.data).max(200),
  services: z.array(directoryEvents.ServiceListed.data).max(500),
}).meta({ id: 'DirectoryImport' });
export type DirectoryImport = z.infer<typeof DirectoryImport>;

@Controller()
export class ImportDirectory {
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  @Command('POST /v1/referral/directory-imports', {
    summary: 'List organisations and services; entries that did not change stay as they are', creates: true, body: DirectoryImport, answer: ImportAnswer, refusals: ['service-unknown'],
  })
  @Allow('directory.import')
  importAll(@TheAct() act: Act<DirectoryImport>): Promise<ImportAnswer> {
    return this.#directory.create(act, async (_state, body, { tx, now }) => {
      const known = new Set(body.organisations.map((organisation) => organisation.organisationId));
      const stray = body.services.findIndex((service) => !known.has(service.organisationId));
      if (stray >= 0) return refuseField('service-unknown', `/services/${stray}/organisationId`);
      const entries: [string, DirectoryEvent][] = [
        ...body.organisations.map((data): [string, DirectoryEvent] => [data.organisationId, { type: 'referral.organisation-listed.v1', data }]),
        ...body.services.map((data): [string, DirectoryEvent] => [data.serviceId, { type: 'referral.service-listed.v1', data }]),
      ];
      for (const [id, event] of entries) await this.#directory.apply(tx, id, { action: 'directory.import', actor: act }, (state) => list(state, event));
      return [{ type: 'referral.directory-imported.v1', data: { organisations: body.organisations.length, services: body.services.length, at: now.toISOString() } }];
    });
  }
}
