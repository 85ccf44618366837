import type { LocalKeyring } from '@amana/privacy';
import type { Logger } from '@amana/telemetry';

/** The service's own keyring: sealing, tags, signatures. */
export class Keys {
  readonly provider: LocalKeyring;

  constructor(provider: LocalKeyring) {
    this.provider = provider;
  }
}

/** The service's logger of ids and codes. */
export class Log {
  readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }
}

/** Injects the service's settings (`ServiceSettings`). */
export const ServiceSettingsToken = Symbol('ServiceSettings');
