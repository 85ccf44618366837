import { type Disposition, type EventDefinition, type EventOf, Instant, Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

interface Held {
  readonly consentRef: string;
  readonly organisationId: string;
}

/** What follows from the end of a consent, under a holder's own names: said at once that it was heard, later what became of the data. */
export type DisposalEvents = {
  readonly acknowledges: EventDefinition<`${string}.consent-withdrawal-acknowledged.v1`, z.ZodType<Held>>;
  /** Private: when the safety check of the case's owner has had its time. */
  readonly awaits: EventDefinition<`${string}.disposal-awaited.v1`, typeof DisposalAwaited>;
  readonly attests: EventDefinition<`${string}.data-disposal-attested.v1`, z.ZodType<Held & { readonly disposition: Disposition }>>;
};
export type DisposalEvent = EventOf<DisposalEvents>;

export const DisposalAwaited = z.strictObject({ disposeNotBefore: Instant });

export type Disposal = { readonly status: 'none' } | Held & { readonly status: 'acknowledged' | 'attested'; readonly disposeNotBefore?: string; readonly disposition?: Disposition };

export function disposalDecider({ acknowledges, awaits, attests }: DisposalEvents): Decider<Disposal, DisposalEvent> {
  return {
    initial: { status: 'none' },
    evolve(state, event) {
      if (event.type === acknowledges.type) return { status: 'acknowledged', ...event.data };
      if (state.status === 'none') return state;
      if (event.type === awaits.type) return { ...state, disposeNotBefore: event.data.disposeNotBefore };
      return event.type === attests.type ? { ...state, status: 'attested', disposition: event.data.disposition } : state;
    },
  };
}

/** Heard once; the same withdrawal may come by two ways. */
export function acknowledge({ acknowledges, awaits }: DisposalEvents, state: Disposal, withdrawal: Held & { readonly disposeNotBefore: string }): readonly DisposalEvent[] {
  if (state.status !== 'none') return [];
  const { consentRef, organisationId, disposeNotBefore } = withdrawal;
  return [{ type: acknowledges.type, data: { consentRef, organisationId } }, { type: awaits.type, data: { disposeNotBefore } }];
}

/** A withdrawal can be forced on her: nothing is destroyed before the owner's safety check had its time. */
export function attest({ attests }: DisposalEvents, state: Disposal, disposition: Disposition, now: Date): readonly DisposalEvent[] | Refusal {
  if (state.status !== 'acknowledged') return new Refusal('illegal-transition');
  if (disposition === 'deleted' && state.disposeNotBefore !== undefined && now.getTime() < Date.parse(state.disposeNotBefore)) return new Refusal('illegal-transition');
  return [{ type: attests.type, data: { consentRef: state.consentRef, organisationId: state.organisationId, disposition } }];
}
