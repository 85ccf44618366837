import { type DataCategory, type EventOf, Id, intakeEvents, privateEvent, Refusal, refuseField } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';
import { type Case, refuseUnlessActive } from './case.ts';
import { type CaseEvent, type Conversation, GivenConsent } from './case-events.ts';

const hourMs = 3_600_000;
/** A withdrawal can be forced on her: a held bed waits a day, destruction three, so that the owner can look at her safety. */
const releaseHoldAfterMs = 24 * hourMs;
const disposeAfterMs = 72 * hourMs;

export const privateConsentEvents = {
  Given: privateEvent('intake.consent-given.v1', z.strictObject({ caseId: Id, ownerOrg: Id, consent: GivenConsent })),
  WithdrawalNoted: privateEvent('intake.withdrawal-noted.v1', z.strictObject({ recordedHow: z.enum(['in_person', 'phone', 'relayed']), alone: z.boolean() })),
} as const;

type Withdrawn = { readonly type: 'intake.consent-withdrawn.v1'; readonly data: z.infer<typeof intakeEvents.ConsentWithdrawn.data> };
export type ConsentEvent = EventOf<typeof privateConsentEvents> | Withdrawn;

export interface KnownConsent {
  readonly status: 'given' | 'withdrawn';
  readonly caseId: string;
  readonly ownerOrg: string;
  readonly consent: GivenConsent;
  readonly withdrawal?: Withdrawn['data'];
}
export type Consent = { readonly status: 'none' } | KnownConsent;

/** One consent, for one recipient and purpose; its id is the only link between a referral and a case. */
export const consentDecider: Decider<Consent, ConsentEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'intake.consent-given.v1') return { status: 'given', ...event.data };
    if (state.status === 'none' || event.type !== 'intake.consent-withdrawn.v1') return state;
    return { ...state, status: 'withdrawn', withdrawal: event.data };
  },
};

/** What is known of a recipient when she is asked about it. */
export interface ListedRecipient {
  readonly status: string;
  readonly protocolVersion: string | null;
  /** The categories that its protocol lets it receive. */
  readonly ceiling: readonly string[];
  readonly serviceIds: readonly string[];
}

export interface NamedRecipient {
  readonly consentRef: string;
  readonly organisationId: string;
  readonly serviceId?: string | undefined;
  readonly categories: readonly DataCategory[];
  readonly purpose: 'service' | 'transfer';
  readonly until?: string | undefined;
  readonly listed: ListedRecipient | undefined;
}

/** One conversation about up to three recipients, in her order: given or refused, it is recorded. */
export function recordConsents(state: Case, said: { conversation: Conversation; decision: 'given' | 'refused'; recipients: readonly NamedRecipient[] }, now: Date): readonly CaseEvent[] | Refusal {
  const { conversation, recipients } = said;
  if (state.status === 'imported-draft') return new Refusal('consent-not-recorded');
  const refused = refuseUnlessActive(state);
  if (refused || state.status === 'none') return refused ?? new Refusal('illegal-transition');
  if (recipients.length > 3) return refuseField('too-many-recipients', '/recipients');
  if (Date.parse(conversation.at) > now.getTime() + 60_000) return refuseField('occurred-in-future', '/conversation/at');
  if (said.decision === 'refused') {
    return [{ type: 'intake.consents-refused.v1', data: { conversation, organisationIds: recipients.map((recipient) => recipient.organisationId) } }];
  }
  // A service is asked for only where there is a need; a transfer may come before any assessment.
  if (recipients.some(({ purpose }) => purpose === 'service') && !state.screening && !state.sealed.needs) return new Refusal('illegal-transition');
  if (!state.safeContactReviewOn || state.safeContactReviewOn < now.toISOString().slice(0, 10)) return new Refusal('safe-contact-missing');
  if (conversation.method !== 'written' && !conversation.witnessed) return invalid('/conversation/witnessed', 'witness-needed');
  const wrong = recipients.map((recipient, index) => refuseRecipient(recipient, { index, conflicts: state.conflicts, now })).find((refusal) => refusal !== undefined);
  if (wrong) return wrong;
  if (new Set(recipients.map(({ organisationId, serviceId, purpose }) => `${organisationId} ${serviceId} ${purpose}`)).size < recipients.length) return invalid('/recipients', 'named-twice');
  const consents = recipients.map((recipient): GivenConsent => ({
    consentRef: recipient.consentRef, organisationId: recipient.organisationId, ...(recipient.serviceId ? { serviceId: recipient.serviceId } : {}), categories: [...recipient.categories],
    purpose: recipient.purpose, givenAt: now.toISOString(), until: new Date(recipient.until ?? latestUntil(now)).toISOString(), language: conversation.language,
  }));
  return [{ type: 'intake.consents-given.v1', data: { conversation, consents } }];
}

function refuseRecipient(recipient: NamedRecipient, around: { index: number; conflicts: readonly string[]; now: Date }): Refusal | undefined {
  const at = `/recipients/${around.index}`;
  const { listed } = recipient;
  if (around.conflicts.includes(recipient.organisationId)) return refuseField('conflict-known', `${at}/organisationId`);
  if (!listed) return refuseField('service-unknown', `${at}/organisationId`);
  if (recipient.serviceId && !listed.serviceIds.includes(recipient.serviceId)) return refuseField('service-unknown', `${at}/serviceId`);
  if (listed.status !== 'active') return refuseField('recipient-suspended', `${at}/organisationId`);
  if (!listed.protocolVersion) return refuseField('protocol-missing', `${at}/organisationId`);
  const over = recipient.categories.findIndex((category) => !listed.ceiling.includes(category));
  if (over >= 0) return refuseField('category-over-ceiling', `${at}/categories/${over}`);
  if (recipient.until === undefined) return undefined;
  const until = Date.parse(recipient.until);
  if (until <= around.now.getTime() + 60_000) return invalid(`${at}/until`, 'in-the-past');
  return until > latestUntil(around.now).getTime() ? invalid(`${at}/until`, 'over-6-months') : undefined;
}

/** Six calendar months ahead; 31 August leads to the last day of February, not into March. */
export function latestUntil(now: Date): Date {
  const until = new Date(now);
  until.setUTCMonth(until.getUTCMonth() + 6);
  if (until.getUTCDate() !== now.getUTCDate()) until.setUTCDate(0);
  return until;
}

function invalid(pointer: string, code: string): Refusal {
  return new Refusal('validation-failed', { errors: [{ pointer, code }] });
}

export interface Withdrawal {
  readonly service: 'stop' | 'continue';
  readonly recordedHow: 'in_person' | 'phone' | 'relayed';
  readonly alone: boolean;
  readonly disposeNow: boolean;
}

/** Her consent ends at once; only what cannot be undone waits, unless she is alone and asks for it now. */
export function withdraw(state: Consent, withdrawal: Withdrawal, now: Date): readonly ConsentEvent[] | Refusal {
  if (state.status === 'none') return new Refusal('not-found');
  if (state.status === 'withdrawn') return new Refusal('consent-withdrawn');
  const { service, recordedHow, alone } = withdrawal;
  const disposeNotBefore = alone && withdrawal.disposeNow ? now : new Date(now.getTime() + disposeAfterMs);
  return [
    { type: 'intake.withdrawal-noted.v1', data: { recordedHow, alone } },
    {
      type: 'intake.consent-withdrawn.v1',
      data: {
        consentRef: state.consent.consentRef, version: 2, effectiveAt: now.toISOString(), service,
        releaseHoldAt: new Date(now.getTime() + releaseHoldAfterMs).toISOString(), disposeNotBefore: disposeNotBefore.toISOString(),
      },
    },
  ];
}
