import { Inject, Injectable } from '@nestjs/common';
import { type ServiceSettings as Settings, ServiceSettingsToken } from '@amana/service';

/** The organisations whose cases this instance holds. An instance that names none holds all: the sandbox runs one for everybody. */
@Injectable()
export class Held {
  readonly #organisations: ReadonlySet<string>;

  constructor(@Inject(ServiceSettingsToken) settings: Pick<Settings, 'organisations'>) {
    this.#organisations = new Set(settings.organisations);
  }

  holds(organisationId: string): boolean {
    return this.#organisations.size === 0 || this.#organisations.has(organisationId);
  }
}
