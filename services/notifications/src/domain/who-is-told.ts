import type { Urgency } from '@amana/contracts';

/** Whether somebody waits for this organisation, or it should merely know. */
export type ItemKind = 'needs-answer' | 'for-your-information';

export interface Told {
  readonly organisationId: string;
  readonly kind: ItemKind;
  /** Told at once: minutes count, so nothing is spread over time to hide that something happened. */
  readonly urgent: boolean;
}

/** What the events have in common that somebody is told about. */
export interface ToldFact {
  readonly fromOrg: string;
  readonly toOrg: string;
  readonly urgency?: Urgency;
  readonly level?: number;
  readonly confirmer?: 'sender' | 'receiver';
}

type Rule = (fact: ToldFact) => readonly Told[];

const tell = (organisationId: string, kind: ItemKind, urgent = false): Told => ({ organisationId, kind, urgent });
const senderKnows: Rule = ({ fromOrg }) => [tell(fromOrg, 'for-your-information')];
const senderAnswers: Rule = ({ fromOrg }) => [tell(fromOrg, 'needs-answer')];
const receiverKnows: Rule = ({ toOrg }) => [tell(toOrg, 'for-your-information')];
const bothKnow: Rule = (fact) => [...senderKnows(fact), ...receiverKnows(fact)];

/**
 * Who has to answer or ought to know, by what happened. An event that is not here tells nobody. Nobody is told what he did himself.
 */
const rules: Readonly<Record<string, Rule>> = {
  'referral.submitted.v1': ({ toOrg, urgency }) => [tell(toOrg, 'needs-answer', urgency === 'stat' || urgency === 'asap')],
  'referral.acknowledged.v1': senderKnows,
  'referral.accepted.v1': senderKnows,
  'referral.acceptance-refused.v1': receiverKnows,
  'referral.declined.v1': senderKnows,
  'referral.scheduled.v1': senderKnows,
  'referral.arrival-confirmed.v1': (fact) => (fact.confirmer === 'sender' ? receiverKnows(fact) : senderKnows(fact)),
  'referral.started.v1': senderKnows,
  // The sender asks her how it went and closes the loop.
  'referral.completed.v1': senderAnswers,
  'referral.loop-closed.v1': receiverKnows,
  'referral.cancelled.v1': receiverKnows,
  'referral.withdrawn.v1': receiverKnows,
  // Somebody looks at her safety anew.
  'referral.failed.v1': ({ fromOrg }) => [tell(fromOrg, 'needs-answer', true)],
  'referral.expired.v1': bothKnow,
  // The first time only who must answer; then the one who waits for it too.
  'referral.deadline-approaching.v1': ({ fromOrg, toOrg, level = 1 }) => [tell(toOrg, 'needs-answer', true), ...(level > 1 ? [tell(fromOrg, 'for-your-information')] : [])],
  'intake.transfer-offered.v1': ({ toOrg }) => [tell(toOrg, 'needs-answer')],
  'intake.transfer-accepted.v1': senderKnows,
  'intake.transfer-declined.v1': senderAnswers,
  'intake.transfer-expired.v1': bothKnow,
  // The sender names who brings her.
  'shelter.arrival-planned.v1': senderAnswers,
  'health.appointment-missed.v1': senderKnows,
};

/** Every event type about which somebody is told. */
export const toldAbout: readonly string[] = Object.keys(rules);

/** Whom an event concerns. */
export function whoIsTold(type: string, fact: ToldFact): readonly Told[] {
  return Object.hasOwn(rules, type) ? rules[type]!(fact) : [];
}
