import { Refusal } from '@amana/contracts';
import type { ArrivalPlan, Hold, HoldEvent, KnownHold } from './hold.ts';

type Decision = readonly HoldEvent[] | Refusal;

/** Only between yes and arrival is there an arrival to plan; once her consent has ended nothing more is told. */
function arriving(state: Hold): KnownHold | Refusal {
  if (state.status !== 'confirmed') return new Refusal('illegal-transition');
  return state.release ? new Refusal('consent-withdrawn') : state;
}

/** A first plan, or one that replaces it. `givesAway`: the meeting point would give the house away. */
export function planArrival(state: Hold, plan: ArrivalPlan, givesAway: boolean): Decision {
  const hold = arriving(state);
  if (hold instanceof Refusal) return hold;
  if (givesAway) return new Refusal('address-in-plan', { errors: [{ pointer: '/meetingPoint', code: 'address-in-plan' }] });
  const { holdId, referralId, organisationId } = hold.placed;
  return [
    { type: 'shelter.plan-noted.v1', data: plan },
    { type: 'shelter.arrival-planned.v1', data: { holdId, referralId, organisationId, plannedAt: plan.meetAt } },
  ];
}

/** The sender says who accompanies her; naming another replaces the one before. */
export function nameEscort(state: Hold, escortSubject: string): Decision {
  const hold = arriving(state);
  if (hold instanceof Refusal) return hold;
  if (!hold.plan) return new Refusal('arrival-plan-missing');
  return hold.escortSubject === escortSubject ? [] : [{ type: 'shelter.escort-named.v1', data: { escortSubject } }];
}

/** What the named escort may open, again and again until she has arrived: a plan that opens once leaves her in the street when an answer is lost. */
export function planToOpen(state: Hold): ArrivalPlan | Refusal {
  if (state.status === 'occupied' || state.status === 'ended') return new Refusal('gone');
  const hold = arriving(state);
  if (hold instanceof Refusal) return hold;
  return hold.plan ?? new Refusal('arrival-plan-missing');
}

export function openPlan(state: Hold, now: Date): Decision {
  const plan = planToOpen(state);
  return plan instanceof Refusal ? plan : [{ type: 'shelter.plan-opened.v1', data: { planId: plan.planId, openedAt: now.toISOString() } }];
}

/** Shorter names of a street would be found in harmless words. */
const shortestStreet = 6;

/**
 * Whether a text gives a house away: it contains the address, or its street line with or without the number.
 * Case, accents, punctuation and spaces do not matter.
 */
export function tellsPlace(text: string, address: string): boolean {
  const told = fold(text);
  const street = address.split(/[,;،\n]/).map((line) => fold(line)).find((line) => /\p{L}/u.test(line)) ?? '';
  return [fold(address), street, street.replace(/\p{N}/gu, '')].some((part) => part.length >= shortestStreet && told.includes(part));
}

function fold(text: string): string {
  return text.normalize('NFKD').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
