import { ServiceSettingsToken, type ServiceSettings } from '@amana/service';
import type { FactoryProvider } from '@nestjs/common';

/** A message is spread over so long, unless it is urgent: whoever watches the line must not learn when something happened. */
export const spreadMs = 30_000;

/** In the sandbox nothing has to be hidden, and somebody who tries it out is waiting. */
export const sandboxSpreadMs = 1_000;

/** How messages leave. Provided as a class, so that a test may give another. */
export class DeliverySettings {
  readonly spreadMs: number = spreadMs;
  /** Also http to this machine: the sandbox alone. */
  readonly allowLoopback: boolean = false;
  readonly timeoutMs: number = 15_000;
  /** A try that has not been recorded after this is taken to have died with its process, and made again. */
  readonly leaseMs: number = 60_000;
  /** Tries under way at once in one process. */
  readonly mostUnderWay: number = 8;
  readonly random: () => number = Math.random;
  /** Where mails go; undefined: nowhere. */
  readonly smtpUrl: string | undefined = undefined;
  /** The page under which an item's opaque link lies. */
  readonly linkBase: string = 'https://amana.invalid/items/';

  constructor(changes: Partial<DeliverySettings> = {}) {
    Object.assign(this, changes);
  }
}

export const deliverySettings: FactoryProvider<DeliverySettings> = {
  provide: DeliverySettings,
  inject: [ServiceSettingsToken],
  useFactory: (settings: ServiceSettings) => new DeliverySettings({
    spreadMs: settings.mode === 'sandbox' ? sandboxSpreadMs : spreadMs, allowLoopback: settings.mode === 'sandbox', smtpUrl: settings.smtpUrl,
    linkBase: new URL('/v1/notifications/items/', settings.issuer).href,
  }),
};
