import { type EventOf, Id, Instant, PlacementClass, privateEvent, Refusal, refuseField, shelterEvents, type OutcomeCode, type Urgency } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';

/** Whom to ask for at the shelter: a role, never a name. */
export const ShelterRole = z.enum(['focal-point', 'shelter-staff', 'social-worker', 'psychologist', 'nurse']);

const { CapacityChanged: _capacity, ConsentWithdrawalAcknowledged: _acknowledged, DataDisposalAttested: _attested, ...published } = shelterEvents;
/** What the network learns of a hold and its stay. */
export const holdEvents = published;

const DeferredReason = z.enum(['withdrawn', 'cancelled', 'already-decided', 'unknown']);
export type ReleaseReason = z.infer<(typeof shelterEvents)['HoldReleased']['data']>['reasonCode'];

/** Which beds, in which site, for whom to ask, who brings her: none of it leaves the shelter. */
export const privateHoldEvents = {
  HoldPlaced: privateEvent('shelter.hold-placed.v1', z.strictObject({
    holdId: Id, referralId: Id, organisationId: Id, fromOrg: Id, serviceId: Id, siteId: Id, bedIds: z.array(Id).min(1).max(20), placementClass: PlacementClass,
    dependantsCount: z.int().min(0).max(20), responsibleRole: ShelterRole, firstContactAt: Instant.optional(), arriveBy: Instant.optional(), expiresAt: Instant,
  })),
  ReleaseDeferred: privateEvent('shelter.release-deferred.v1', z.strictObject({ releaseAt: Instant, reasonCode: DeferredReason })),
  PlanNoted: privateEvent('shelter.plan-noted.v1', z.strictObject({ planId: Id, meetAt: Instant, askForRole: ShelterRole })),
  EscortNamed: privateEvent('shelter.escort-named.v1', z.strictObject({ escortSubject: z.string().max(200) })),
  PlanOpened: privateEvent('shelter.plan-opened.v1', z.strictObject({ planId: Id, openedAt: Instant })),
} as const;

export type HoldEvent = EventOf<typeof holdEvents> | EventOf<typeof privateHoldEvents>;
export type Placed = z.infer<typeof privateHoldEvents.HoldPlaced.data>;

export interface ArrivalPlan {
  /** Names the sealed meeting point: each plan has its own, none is overwritten. */
  readonly planId: string;
  readonly meetAt: string;
  readonly askForRole: z.infer<typeof ShelterRole>;
}

export interface KnownHold {
  /** `unconfirmed`, `confirmed` and `occupied` keep the beds; the others have given them back. */
  readonly status: 'unconfirmed' | 'confirmed' | 'occupied' | 'ended' | 'released' | 'expired' | 'lost';
  readonly placed: Placed;
  /** After a withdrawal the bed waits until then: it may have been forced on her. */
  readonly release?: { readonly at: string; readonly reasonCode: z.infer<typeof DeferredReason> };
  readonly plan?: ArrivalPlan;
  readonly escortSubject?: string;
  readonly openings: readonly string[];
  readonly startedOn?: string;
  readonly endedOn?: string;
}
export type Hold = { readonly status: 'none' } | KnownHold;

export const holdDecider: Decider<Hold, HoldEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'shelter.hold-placed.v1') return { status: 'unconfirmed', placed: event.data, openings: [] };
    if (state.status === 'none') return state;
    switch (event.type) {
      case 'shelter.hold-confirmed.v1': return { ...state, status: 'confirmed' };
      case 'shelter.hold-released.v1': return { ...state, status: 'released' };
      case 'shelter.hold-expired.v1': return { ...state, status: 'expired' };
      case 'shelter.hold-lost.v1': return { ...state, status: 'lost' };
      case 'shelter.stay-started.v1': return { ...state, status: 'occupied', startedOn: event.data.startedOn };
      case 'shelter.stay-ended.v1': return { ...state, status: 'ended', endedOn: event.data.endedOn };
      case 'shelter.release-deferred.v1': return { ...state, release: { at: event.data.releaseAt, reasonCode: event.data.reasonCode } };
      case 'shelter.plan-noted.v1': return { ...state, plan: event.data };
      case 'shelter.escort-named.v1': return { ...state, escortSubject: event.data.escortSubject };
      case 'shelter.plan-opened.v1': return { ...state, openings: [...state.openings, event.data.openedAt].slice(-50) };
      case 'shelter.bed-held.v1':
      case 'shelter.arrival-planned.v1':
        return state;
    }
  },
};

type Decision = readonly HoldEvent[] | Refusal;
const illegal = (): Refusal => new Refusal('illegal-transition');
const hourMs = 3_600_000;
/** Clocks of different machines may differ by this much before "now" counts as the future. */
const skewMs = 60_000;

function ids(state: KnownHold): { holdId: string; referralId: string; organisationId: string } {
  const { holdId, referralId, organisationId } = state.placed;
  return { holdId, referralId, organisationId };
}

/** An unanswered hold blocks a bed for two hours when a life depends on it, for a day otherwise. */
export function holdUntil(urgency: Urgency, now: Date): string {
  return new Date(now.getTime() + (urgency === 'stat' ? 2 : 24) * hourMs).toISOString();
}

/** What the shelter knows of a referral that asks for a bed. */
export interface AskedReferral {
  readonly status: string;
  readonly expiresAt: Date;
  readonly alreadyHeld: boolean;
}

/** Takes the beds for a referral that still awaits its answer. Without beds for the whole household nobody is placed. */
export function place(state: Hold, asked: AskedReferral, hold: Placed | undefined, now: Date): Decision {
  if (state.status !== 'none') return illegal();
  if (asked.alreadyHeld) return new Refusal('already-held');
  if ((asked.status !== 'submitted' && asked.status !== 'acknowledged') || now.getTime() >= asked.expiresAt.getTime()) return illegal();
  if (!hold) return new Refusal('no-free-bed');
  const { holdId, referralId, organisationId, expiresAt, placementClass, dependantsCount } = hold;
  return [
    { type: 'shelter.hold-placed.v1', data: hold },
    { type: 'shelter.bed-held.v1', data: { holdId, referralId, organisationId, expiresAt, placementClass, dependantsCount } },
  ];
}

/**
 * The referral was accepted with this hold. The timer alone is not trusted: a hold past its end is lost even if nobody
 * has marked it yet, and one that was given back meanwhile is lost too; the referral must hear of it.
 */
export function confirm(state: Hold, accepted: { referralId: string }, now: Date): readonly HoldEvent[] {
  if (state.status === 'none' || state.placed.referralId !== accepted.referralId) return [];
  switch (state.status) {
    case 'unconfirmed':
      return [now.getTime() < Date.parse(state.placed.expiresAt)
        ? { type: 'shelter.hold-confirmed.v1', data: ids(state) }
        : { type: 'shelter.hold-lost.v1', data: ids(state) }];
    case 'released':
    case 'expired':
      return [{ type: 'shelter.hold-lost.v1', data: ids(state) }];
    case 'confirmed':
    case 'occupied':
    case 'ended':
    case 'lost':
      return [];
  }
}

/** The referral no longer needs the bed: given back now, or at `releaseHoldAt` if that lies ahead. A stay goes on: only people end it. */
export function letGo(state: Hold, reason: { reasonCode: ReleaseReason; releaseHoldAt?: string | undefined }, now: Date): readonly HoldEvent[] {
  if (state.status !== 'unconfirmed' && state.status !== 'confirmed') return [];
  const { reasonCode, releaseHoldAt } = reason;
  const deferred = DeferredReason.safeParse(reasonCode);
  if (deferred.success && releaseHoldAt !== undefined && Date.parse(releaseHoldAt) > now.getTime()) {
    return state.release ? [] : [{ type: 'shelter.release-deferred.v1', data: { releaseAt: releaseHoldAt, reasonCode: deferred.data } }];
  }
  // A second message about the same end must not shorten the time that a withdrawal left her.
  if (state.release) return [];
  return [{ type: 'shelter.hold-released.v1', data: { ...ids(state), reasonCode } }];
}

/** The deferred release has come due. */
export function releaseDue(state: Hold, now: Date): readonly HoldEvent[] {
  if ((state.status !== 'unconfirmed' && state.status !== 'confirmed') || !state.release || now.getTime() < Date.parse(state.release.at)) return [];
  return [{ type: 'shelter.hold-released.v1', data: { ...ids(state), reasonCode: state.release.reasonCode } }];
}

export function expire(state: Hold, now: Date): readonly HoldEvent[] {
  if (state.status !== 'unconfirmed' || state.release || now.getTime() < Date.parse(state.placed.expiresAt)) return [];
  return [{ type: 'shelter.hold-expired.v1', data: ids(state) }];
}

/** The shelter's own word, before the referral was accepted. An accepted referral is failed or cancelled at referral instead, so that its sender hears of it. */
export function release(state: Hold): Decision {
  if (state.status !== 'unconfirmed' || state.release) return illegal();
  return [{ type: 'shelter.hold-released.v1', data: { ...ids(state), reasonCode: 'not-needed' } }];
}

/** She has arrived. A withdrawal that waits for its time does not keep her out. */
export function startStay(state: Hold, arrivedAt: string, now: Date): Decision {
  if (state.status !== 'confirmed') return illegal();
  if (Date.parse(arrivedAt) > now.getTime() + skewMs) return refuseField('occurred-in-future', '/arrivedAt');
  return [{ type: 'shelter.stay-started.v1', data: { ...ids(state), startedOn: dayOf(arrivedAt) } }];
}

export function endStay(state: Hold, end: { outcomeCode: OutcomeCode; endedAt: string }, now: Date): Decision {
  if (state.status !== 'occupied') return illegal();
  if (Date.parse(end.endedAt) > now.getTime() + skewMs) return refuseField('occurred-in-future', '/endedAt');
  const endedOn = dayOf(end.endedAt);
  if (endedOn < state.startedOn!) return new Refusal('validation-failed', { errors: [{ pointer: '/endedAt', code: 'before-start' }] });
  return [{ type: 'shelter.stay-ended.v1', data: { ...ids(state), endedOn, outcomeCode: end.outcomeCode } }];
}

const localDay = new Intl.DateTimeFormat('en-CA', { timeZone: 'Africa/Casablanca', year: 'numeric', month: '2-digit', day: '2-digit' });

/** The local day of an instant: facts of a stay carry no hour. */
function dayOf(instant: string): string {
  return localDay.format(new Date(instant));
}
