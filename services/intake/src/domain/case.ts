import { type Indicator, Refusal, refuseField } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import type { CaseEvent, GivenConsent } from './case-events.ts';
import { type Countable, dueCounts } from './counting.ts';
import { type Capacity, type FirstContact, type Person, refuseCapacity, refuseContact, refuseNarrative, refusePerson, type SafeContact, type ScreeningBody } from './person.ts';

export type OpenStatus = 'imported-draft' | 'transferred-in' | 'active';
/** `transferred-out` is the stub that an old owner keeps. */
export type EndStatus = 'closed' | 'declined-services' | 'transferred-out';

export interface KnownCase extends Countable {
  readonly status: OpenStatus | EndStatus;
  readonly organisationId: string;
  readonly confidentialityExplainedAt?: string;
  /** Newest version of each sealed field. */
  readonly sealed: Readonly<Record<string, number>>;
  readonly safeContactReviewOn?: string;
  readonly conflicts: readonly string[];
  readonly pendingTransfer?: string;
  /** What she consented to, if that was the last thing that happened: the answer of a repeated request is rebuilt from it. */
  readonly given: readonly GivenConsent[];
  readonly countedBefore: readonly Indicator[];
}
export type Case = { readonly status: 'none' } | KnownCase;

const blank = { sealed: {}, conflicts: [], given: [], reached: [], counted: [], countedBefore: [] } as const;

export const caseDecider: Decider<Case, CaseEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'intake.case-opened.v1') return { ...blank, status: 'active', organisationId: event.data.organisationId, ...explained(event.data) };
    if (event.type === 'intake.case-imported.v1') return { ...blank, status: 'imported-draft', organisationId: event.data.organisationId };
    if (event.type === 'intake.case-transferred-in.v1') return { ...blank, status: 'transferred-in', organisationId: event.data.organisationId };
    return state.status === 'none' ? state : change({ ...state, given: [] }, event);
  },
};

function change(state: KnownCase, event: CaseEvent): KnownCase {
  switch (event.type) {
    case 'intake.case-file-received.v1': return { ...state, status: 'active', counted: event.data.alreadyCounted, countedBefore: event.data.alreadyCounted };
    case 'intake.first-contact-recorded.v1': return { ...state, status: state.status === 'imported-draft' ? 'active' : state.status, ...explained(event.data) };
    case 'intake.services-declined.v1': return { ...state, status: 'declined-services' };
    case 'intake.field-sealed.v1': return { ...state, sealed: { ...state.sealed, [event.data.field]: event.data.version } };
    // Whoever takes back that she may be counted is not counted until she agrees anew.
    case 'intake.screened.v1': return { ...state, screening: event.data, ...(event.data.reportingConsent ? {} : { counted: state.countedBefore }) };
    case 'intake.safe-contact-agreed.v1': return { ...state, safeContactReviewOn: event.data.reviewOn };
    case 'intake.conflict-flagged.v1': return { ...state, conflicts: [...state.conflicts, event.data.organisationId] };
    case 'intake.consents-given.v1': return { ...state, given: event.data.consents };
    case 'intake.transfer-pending.v1': return { ...state, pendingTransfer: event.data.transferId };
    case 'intake.transfer-settled.v1': {
      const { pendingTransfer: _settled, ...rest } = state;
      return event.data.outcome === 'accepted' ? { ...rest, status: 'transferred-out' } : rest;
    }
    case 'intake.outcome-seen.v1': return { ...state, reached: [...state.reached, event.data.indicator] };
    case 'intake.count-noted.v1': return { ...state, counted: [...state.counted, event.data.indicator] };
    case 'intake.case-closed.v1': return { ...state, status: 'closed' };
    case 'intake.consents-refused.v1':
    case 'intake.case-handed-to-auditor.v1':
    case 'intake.case-opened.v1':
    case 'intake.case-imported.v1':
    case 'intake.case-transferred-in.v1':
      return state;
  }
}

function explained(data: { confidentialityExplainedAt?: string | undefined }): { confidentialityExplainedAt?: string } {
  return data.confidentialityExplainedAt === undefined ? {} : { confidentialityExplainedAt: data.confidentialityExplainedAt };
}

export type CaseDecision = readonly CaseEvent[] | Refusal;
const illegal = (): Refusal => new Refusal('illegal-transition');

/** Why nothing may be added to this case now, or undefined. */
export function refuseUnlessActive(state: Case): Refusal | undefined {
  if (state.status === 'active') return undefined;
  return state.status === 'closed' || state.status === 'declined-services' || state.status === 'transferred-out' ? new Refusal('case-closed') : illegal();
}

const told = (contact: FirstContact) => ({
  at: contact.at, channel: contact.channel, ...(contact.confidentialityLimitsExplainedAt ? { confidentialityExplainedAt: contact.confidentialityLimitsExplainedAt } : {}),
});

/** A first contact. Whoever declines services ends it here: a case that holds nothing about her. */
export function openCase(state: Case, opening: { organisationId: string; contact: FirstContact; person?: Person | undefined; hasNarrative: boolean }, now: Date): CaseDecision {
  if (state.status !== 'none') return illegal();
  const { organisationId, contact, person } = opening;
  const refused = refuseContact(contact, now) ?? (person && refusePerson(person, now)) ?? (opening.hasNarrative ? refuseNarrative(contact) : undefined);
  if (refused) return refused;
  const opened: CaseEvent = { type: 'intake.case-opened.v1', data: { organisationId, ...told(contact) } };
  return contact.declinesServices ? [opened, { type: 'intake.services-declined.v1', data: { at: contact.at } }] : [opened];
}

/** One row of a file: a draft about which nobody has spoken with her yet. */
export function importCase(state: Case, organisationId: string, person: Person, now: Date): CaseDecision {
  if (state.status !== 'none') return illegal();
  return refusePerson(person, now) ?? [{ type: 'intake.case-imported.v1', data: { organisationId } }];
}

/** The new owner's case: empty until its worker brings the file. */
export function openTransferred(state: Case, data: { organisationId: string; transferId: string }): CaseDecision {
  return state.status === 'none' ? [{ type: 'intake.case-transferred-in.v1', data }] : [];
}

export function receiveFile(state: Case, file: { person: Person; alreadyCounted: readonly Indicator[] }, now: Date): CaseDecision {
  if (state.status !== 'transferred-in') return refuseUnlessActive(state) ?? illegal();
  return refusePerson(file.person, now) ?? [{ type: 'intake.case-file-received.v1', data: { alreadyCounted: [...new Set(file.alreadyCounted)] } }];
}

/** The first conversation of a draft, or a further one. She may decline then, too. */
export function recordFirstContact(state: Case, contact: FirstContact, capacity: Capacity, now: Date): CaseDecision {
  if (state.status !== 'imported-draft' && state.status !== 'transferred-in' && state.status !== 'active') return refuseUnlessActive(state) ?? illegal();
  const refused = refuseContact(contact, now) ?? refuseCapacity(capacity, '/capacityToConsent');
  if (refused) return refused;
  if (!contact.declinesServices) return [{ type: 'intake.first-contact-recorded.v1', data: told(contact) }];
  // Only a draft holds nothing she ever agreed to; in a case under way she closes it, and her consents with it.
  return state.status === 'imported-draft' ? [{ type: 'intake.services-declined.v1', data: { at: contact.at } }] : illegal();
}

export function screen(state: Case, screening: ScreeningBody, now: Date): CaseDecision {
  const refused = refuseUnlessActive(state);
  if (refused || state.status === 'none') return refused ?? illegal();
  const { outcome, reportingConsent } = screening;
  if (outcome === 'identified_by_authority') return refuseField('screening-not-allowed', '/outcome');
  const screened: CaseEvent = { type: 'intake.screened.v1', data: { outcome, reportingConsent } };
  return [screened, ...dueCounts(change(state, screened), now)];
}

/** How she can be reached without harm; a word that is older than its review date counts no more. */
export function agreeSafeContact(state: Case, { reviewOn }: SafeContact, now: Date): CaseDecision {
  const today = now.toISOString().slice(0, 10);
  const latest = new Date(now.getTime() + 30 * 86_400_000).toISOString().slice(0, 10);
  const refused = refuseUnlessActive(state);
  if (refused) return refused;
  if (reviewOn < today || reviewOn > latest) return new Refusal('validation-failed', { errors: [{ pointer: '/reviewOn', code: 'not-within-30-days' }] });
  return [{ type: 'intake.safe-contact-agreed.v1', data: { reviewOn } }];
}

/** An opaque mark: never with this organisation. Why is not written down. */
export function flagConflict(state: Case, organisationId: string): CaseDecision {
  return refuseUnlessActive(state) ?? [{ type: 'intake.conflict-flagged.v1', data: { organisationId } }];
}

/** A worker's note is taken only after she was told what cannot be kept secret. */
export function refuseNote(state: Case): Refusal | undefined {
  const refused = refuseUnlessActive(state);
  if (refused || state.status === 'none') return refused ?? illegal();
  return state.confidentialityExplainedAt === undefined ? new Refusal('confidentiality-not-explained') : undefined;
}

export function handToAuditor(state: Case, reasonCode: string): CaseDecision {
  return state.status === 'none' ? illegal() : [{ type: 'intake.case-handed-to-auditor.v1', data: { reasonCode } }];
}

export function closeCase(state: Case, reasonCode: string, openReferrals: number): CaseDecision {
  if (state.status !== 'active' && state.status !== 'imported-draft' && state.status !== 'transferred-in') return refuseUnlessActive(state) ?? illegal();
  if (state.pendingTransfer) return illegal();
  return openReferrals > 0 ? new Refusal('open-referrals') : [{ type: 'intake.case-closed.v1', data: { reasonCode } }];
}
