import { type EventOf, healthEvents, Instant, privateEvent, Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

/** What follows from the end of a consent: said at once that it was heard, later what became of the data. */
export const disposalEvents = {
  Acknowledged: healthEvents.ConsentWithdrawalAcknowledged,
  Awaited: privateEvent('health.disposal-awaited.v1', z.strictObject({ disposeNotBefore: Instant })),
  Attested: healthEvents.DataDisposalAttested,
} as const;
export type DisposalEvent = EventOf<typeof disposalEvents>;
export type Disposition = z.infer<typeof disposalEvents.Attested.data>['disposition'];

export type Disposal =
  | { readonly status: 'none' }
  | { readonly status: 'acknowledged' | 'attested'; readonly consentRef: string; readonly organisationId: string; readonly disposeNotBefore?: string; readonly disposition?: Disposition };

export const disposalDecider: Decider<Disposal, DisposalEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'health.consent-withdrawal-acknowledged.v1') return { status: 'acknowledged', ...event.data };
    if (state.status === 'none') return state;
    if (event.type === 'health.disposal-awaited.v1') return { ...state, disposeNotBefore: event.data.disposeNotBefore };
    return event.type === 'health.data-disposal-attested.v1' ? { ...state, status: 'attested', disposition: event.data.disposition } : state;
  },
};

/** Heard once; the same withdrawal may come by two ways. */
export function acknowledge(state: Disposal, withdrawal: { consentRef: string; organisationId: string; disposeNotBefore: string }): readonly DisposalEvent[] {
  if (state.status !== 'none') return [];
  const { consentRef, organisationId, disposeNotBefore } = withdrawal;
  return [
    { type: 'health.consent-withdrawal-acknowledged.v1', data: { consentRef, organisationId } },
    { type: 'health.disposal-awaited.v1', data: { disposeNotBefore } },
  ];
}

/** A withdrawal can be forced on her: nothing is destroyed before the owner's safety check had its time. */
export function attest(state: Disposal, disposition: Disposition, now: Date): readonly DisposalEvent[] | Refusal {
  if (state.status !== 'acknowledged') return new Refusal('illegal-transition');
  if (disposition === 'deleted' && state.disposeNotBefore !== undefined && now.getTime() < Date.parse(state.disposeNotBefore)) return new Refusal('illegal-transition');
  return [{ type: 'health.data-disposal-attested.v1', data: { consentRef: state.consentRef, organisationId: state.organisationId, disposition } }];
}
