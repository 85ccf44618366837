import {
  type CancelReason, DeclineReason, DeliveryMode, type DomainEvent, type EventOf, Id, Instant, PlacementClass, privateEvent, referralEvents, Refusal, refuseField, ServiceKind, Urgency,
  type FailReason, type OutcomeCode,
} from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';
import { deadlinesOf } from './clocks.ts';

/** One consented recipient of a draft, in her order; each would-be referral has its id from the start, so that a redirect needs no new name. */
export const Recipient = z.strictObject({ referralId: Id, serviceId: Id, organisationId: Id, serviceKind: ServiceKind, consentRef: Id, consentUntil: Instant });
export type Recipient = z.infer<typeof Recipient>;

/** Events that stay here: what the sender prepares, and what only the receiver's supervisor may know. */
export const privateReferralEvents = {
  Drafted: privateEvent('referral.drafted.v1', z.strictObject({
    fromOrg: Id, recipients: z.array(Recipient).min(1).max(3), matchedServiceIds: z.array(Id).max(50), urgency: Urgency, serveBy: Instant.optional(), placementClass: PlacementClass.optional(),
    dependantsCount: z.int().min(0).max(20), occurredAt: Instant, deliveryMode: DeliveryMode, redirectedFrom: Id.optional(),
  })),
  DeclineNoted: privateEvent('referral.decline-noted.v1', z.strictObject({ reasonCode: DeclineReason })),
  AcceptanceNoted: privateEvent('referral.acceptance-noted.v1', z.strictObject({ responsibleRole: z.string().max(60), firstContactAt: Instant.optional() })),
} as const;

export type ReferralEvent = EventOf<typeof referralEvents> | EventOf<typeof privateReferralEvents>;

export type OpenStatus = 'draft' | 'submitted' | 'acknowledged' | 'accepted' | 'scheduled' | 'in-progress';
export type EndStatus = 'completed' | 'closed' | 'declined' | 'expired' | 'cancelled' | 'withdrawn' | 'failed';

export interface KnownReferral {
  readonly status: OpenStatus | EndStatus;
  readonly draft: z.infer<typeof privateReferralEvents.Drafted.data>;
  readonly expiresAt?: string;
  readonly serveBy?: string;
  readonly holdId?: string;
  readonly releaseHoldAt?: string;
  readonly arrivalConfirmedBy: readonly ('sender' | 'receiver')[];
}
export type Referral = { readonly status: 'none' } | KnownReferral;

export const referralDecider: Decider<Referral, ReferralEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'referral.drafted.v1') return { status: 'draft', draft: event.data, arrivalConfirmedBy: [] };
    if (state.status === 'none') return state;
    switch (event.type) {
      case 'referral.submitted.v1': return { ...state, status: 'submitted', expiresAt: event.data.expiresAt, serveBy: event.data.serveBy };
      case 'referral.acknowledged.v1': return { ...state, status: 'acknowledged' };
      case 'referral.accepted.v1': return { ...state, status: 'accepted', ...(event.data.holdId ? { holdId: event.data.holdId } : {}) };
      case 'referral.declined.v1': return { ...state, status: 'declined' };
      case 'referral.scheduled.v1': return { ...state, status: 'scheduled' };
      case 'referral.arrival-confirmed.v1': return { ...state, arrivalConfirmedBy: [...state.arrivalConfirmedBy, event.data.confirmer] };
      case 'referral.started.v1': return { ...state, status: 'in-progress' };
      case 'referral.completed.v1': return { ...state, status: 'completed' };
      case 'referral.loop-closed.v1': return { ...state, status: 'closed' };
      case 'referral.cancelled.v1': return { ...state, status: 'cancelled' };
      case 'referral.withdrawn.v1': return { ...state, status: 'withdrawn', releaseHoldAt: event.data.releaseHoldAt };
      case 'referral.failed.v1': return { ...state, status: 'failed' };
      case 'referral.expired.v1': return { ...state, status: 'expired' };
      case 'referral.acceptance-refused.v1':
      case 'referral.deadline-approaching.v1':
      case 'referral.decline-noted.v1':
      case 'referral.acceptance-noted.v1':
        return state;
    }
  },
};

type Decision = readonly ReferralEvent[] | Refusal;
const illegal = (): Refusal => new Refusal('illegal-transition');
const awaitsAnswer = (state: Referral): state is KnownReferral => state.status === 'submitted' || state.status === 'acknowledged';
const isUnderWay = (state: Referral): state is KnownReferral => state.status === 'accepted' || state.status === 'scheduled' || state.status === 'in-progress';

const isOpen = (state: Referral): state is KnownReferral => awaitsAnswer(state) || isUnderWay(state) || (state as Referral).status === 'draft';

/** The recipient this referral is addressed to: the first of its own draft. */
export function recipientOf(state: KnownReferral): Recipient {
  return state.draft.recipients[0]!;
}

/** The three ids that stand in every event of a referral. */
function parties(state: KnownReferral): { referralId: string; fromOrg: string; toOrg: string } {
  const recipient = recipientOf(state);
  return { referralId: recipient.referralId, fromOrg: state.draft.fromOrg, toOrg: recipient.organisationId };
}

/** The timer alone is not trusted: past its end a referral can no longer be answered, even if nobody marked it yet. */
function isPast(state: KnownReferral, now: Date): boolean {
  return state.expiresAt !== undefined && now.getTime() >= Date.parse(state.expiresAt);
}

export function draft(state: Referral, drafted: KnownReferral['draft'], now: Date): Decision {
  if (state.status !== 'none') return illegal();
  if (Date.parse(drafted.occurredAt) > now.getTime() + 60_000) return refuseField('occurred-in-future', '/occurredAt');
  return [{ type: 'referral.drafted.v1', data: drafted }];
}

/** Sends a draft to its first recipient. `mayReceive` says whether consent and directory still allow it. */
export function submit(state: Referral, mayReceive: Refusal | undefined, now: Date): Decision {
  if (state.status !== 'draft') return illegal();
  const recipient = recipientOf(state);
  if (mayReceive) return mayReceive;
  if (Date.parse(recipient.consentUntil) <= now.getTime()) return new Refusal('consent-invalid');
  const { draft: drafted } = state;
  // A referral that was phoned through counts from the call, one that waited as a draft from now.
  const from = drafted.deliveryMode === 'system' ? now : new Date(drafted.occurredAt);
  const clocks = deadlinesOf(drafted.urgency, from, { serveBy: drafted.serveBy ? new Date(drafted.serveBy) : undefined });
  return [{
    type: 'referral.submitted.v1',
    data: {
      ...parties(state), toServiceId: recipient.serviceId, serviceKind: recipient.serviceKind, urgency: drafted.urgency, consentRef: recipient.consentRef,
      ackBy: clocks.ackBy.toISOString(), decideBy: clocks.decideBy.toISOString(), serveBy: clocks.serveBy.toISOString(), expiresAt: clocks.expiresAt.toISOString(),
      ...(drafted.placementClass ? { placementClass: drafted.placementClass } : {}), dependantsCount: drafted.dependantsCount, occurredAt: drafted.occurredAt, deliveryMode: drafted.deliveryMode,
      ...(drafted.redirectedFrom ? { redirectedFrom: drafted.redirectedFrom } : {}),
    },
  }];
}

export function acknowledge(state: Referral, now: Date): Decision {
  if (state.status !== 'submitted' || isPast(state, now)) return illegal();
  return [{ type: 'referral.acknowledged.v1', data: parties(state) }];
}

/** A provider without beds says yes. A shelter must hold a bed first: its yes comes as `shelter.bed-held`. */
export function accept(state: Referral, note: { responsibleRole: string; firstContactAt?: string | undefined }, now: Date): Decision {
  if (!awaitsAnswer(state) || isPast(state, now)) return illegal();
  if (recipientOf(state).serviceKind === 'shelter') return new Refusal('hold-required');
  return [accepted(state), { type: 'referral.acceptance-noted.v1', data: { responsibleRole: note.responsibleRole, ...(note.firstContactAt ? { firstContactAt: note.firstContactAt } : {}) } }];
}

/** A bed was held. Still open: accepted. Withdrawn, cancelled or decided meanwhile: the shelter is told to let it go, and when. */
export function acceptWithHold(state: Referral, hold: { holdId: string; organisationId: string }, now: Date): readonly ReferralEvent[] {
  if (state.status === 'none' || recipientOf(state).organisationId !== hold.organisationId) return [];
  if (state.holdId === hold.holdId) return [];
  if (awaitsAnswer(state) && !isPast(state, now)) return [accepted(state, hold.holdId)];
  const reasonCode = state.status === 'withdrawn' || state.status === 'cancelled' ? state.status : 'already-decided';
  return [{ type: 'referral.acceptance-refused.v1', data: { ...parties(state), holdId: hold.holdId, reasonCode, ...(state.releaseHoldAt ? { releaseHoldAt: state.releaseHoldAt } : {}) } }];
}

function accepted(state: KnownReferral, holdId?: string): ReferralEvent {
  const { consentRef, serviceKind } = recipientOf(state);
  const serveBy = state.serveBy!;
  return { type: 'referral.accepted.v1', data: { ...parties(state), ...(holdId ? { holdId } : {}), consentRef, serviceKind, urgency: state.draft.urgency, serveBy } };
}

/** A no with its reason. `safety_conflict` leaves as `unsuitable_placement`: a prober must not learn that somebody is inside. */
export function decline(state: Referral, answer: { reasonCode: DeclineReason; alternatives: readonly string[] }, now: Date): Decision {
  if (!awaitsAnswer(state) || isPast(state, now)) return illegal();
  const told: DeclineReason = answer.reasonCode === 'safety_conflict' ? 'unsuitable_placement' : answer.reasonCode;
  return [
    { type: 'referral.declined.v1', data: { ...parties(state), reasonCode: told, alternatives: [...answer.alternatives] } },
    { type: 'referral.decline-noted.v1', data: { reasonCode: answer.reasonCode } },
  ];
}

/** The clock ran out. Unanswered: expired, with what is left of the match offered. Answered meanwhile: nothing. */
export function expire(state: Referral, alternatives: readonly string[], now: Date): readonly ReferralEvent[] {
  if (!awaitsAnswer(state) || !isPast(state, now)) return [];
  return [{ type: 'referral.expired.v1', data: { ...parties(state), alternatives: [...alternatives] } }];
}

export function escalate(state: Referral, level: number): readonly ReferralEvent[] {
  if (!awaitsAnswer(state)) return [];
  return [{ type: 'referral.deadline-approaching.v1', data: { ...parties(state), clock: state.status === 'submitted' ? 'ack' : 'decide', level } }];
}

export function schedule(state: Referral): readonly ReferralEvent[] {
  return state.status === 'accepted' ? [{ type: 'referral.scheduled.v1', data: parties(state) }] : [];
}

/** The sender says that she has arrived; with an arrival plan both sides say so. */
export function confirmArrival(state: Referral): Decision {
  if (!isUnderWay(state)) return illegal();
  if (state.arrivalConfirmedBy.includes('sender')) return illegal();
  return [{ type: 'referral.arrival-confirmed.v1', data: { ...parties(state), confirmer: 'sender' } }];
}

/** Service begins: by a provider's word, or because a stay or a consultation began. */
export function start(state: Referral, by: 'command' | 'holder'): Decision {
  if (state.status !== 'accepted' && state.status !== 'scheduled') return by === 'holder' ? [] : illegal();
  if (by === 'command' && isHeld(state)) return illegal();
  return [{ type: 'referral.started.v1', data: parties(state) }];
}

export function complete(state: Referral, outcomeCode: OutcomeCode, by: 'command' | 'holder'): Decision {
  if (!isUnderWay(state)) return by === 'holder' ? [] : illegal();
  if (by === 'command' && isHeld(state)) return illegal();
  return [{ type: 'referral.completed.v1', data: { ...parties(state), outcomeCode } }];
}

/** Shelter and health keep the facts of their own: their events move the referral, not a bare command. */
function isHeld(state: KnownReferral): boolean {
  const kind = recipientOf(state).serviceKind;
  return kind === 'shelter' || kind === 'health';
}

export function closeLoop(state: Referral, followUp: 'received' | 'not-received' | 'unsafe-to-contact'): Decision {
  if (state.status !== 'completed') return illegal();
  return [{ type: 'referral.loop-closed.v1', data: { ...parties(state), followUp } }];
}

export function cancel(state: Referral, reasonCode: CancelReason): Decision {
  if (!isOpen(state)) return illegal();
  return [{ type: 'referral.cancelled.v1', data: { ...parties(state), reasonCode } }];
}

/** Her consent ended. Under way and she chose to go on without sharing: it goes on; otherwise it ends here. */
export function withdraw(state: Referral, withdrawal: { service: 'stop' | 'continue'; releaseHoldAt: string }): readonly ReferralEvent[] {
  if (!isOpen(state)) return [];
  if (state.status === 'in-progress' && withdrawal.service === 'continue') return [];
  return [{ type: 'referral.withdrawn.v1', data: { ...parties(state), releaseHoldAt: withdrawal.releaseHoldAt } }];
}

export function fail(state: Referral, reasonCode: FailReason, by: 'command' | 'holder'): Decision {
  if (!isUnderWay(state)) return by === 'holder' ? [] : illegal();
  return [{ type: 'referral.failed.v1', data: { ...parties(state), reasonCode } }];
}

/** The next consented recipient is asked as soon as the one before has said no or nothing. */
export function redirect(next: Referral, ended: Referral, index: number, options: { mayReceive: Refusal | undefined; now: Date }): readonly ReferralEvent[] {
  if (next.status !== 'none' || (ended.status !== 'declined' && ended.status !== 'expired')) return [];
  const drafted: ReferralEvent & DomainEvent = {
    type: 'referral.drafted.v1',
    data: { ...ended.draft, recipients: ended.draft.recipients.slice(index), redirectedFrom: recipientOf(ended).referralId, deliveryMode: 'system', occurredAt: options.now.toISOString() },
  };
  const submitted = submit(referralDecider.evolve(next, drafted), options.mayReceive, options.now);
  return submitted instanceof Refusal ? [] : [drafted, ...submitted];
}
