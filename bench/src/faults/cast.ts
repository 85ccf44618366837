import type { Caller, Patience } from './caller.ts';
import type { Consents } from './consents.ts';

/** A service that can be referred to, and the system that answers for it. */
export interface Provider {
  readonly serviceId: string;
  readonly caller: Caller;
}

export interface Cast {
  readonly senders: readonly Caller[];
  readonly clinic: Provider;
  readonly shelters: readonly [Provider, Provider];
  /** Providers without a service of their own here: psychosocial, legal, vocational. */
  readonly others: readonly Provider[];
  readonly consents: Consents;
  readonly patience: Patience;
  readonly run: number;
  /** The load is over: whoever waits for something to happen stops looking for it soon. */
  readonly over: AbortSignal;
}
