import { type DataCategory, Refusal } from '@amana/contracts';

/** Answers come over the bus within a second; whoever asks too early is told to ask again then. */
export const askAgainAfterSeconds = 2;

/** What is asked for: the bands that a receiver sees before it answers, or what she consented to. */
export type Asked = 'profile' | 'content';

/** A referral or a transfer, with the consent it rests on, as the owner's database holds both in this transaction. */
export interface Grant {
  readonly kind: 'referral' | 'transfer';
  readonly status: string;
  readonly ownerOrg: string;
  readonly toOrg: string;
  readonly serviceId?: string | undefined;
  readonly caseTransferred: boolean;
  readonly consent: {
    readonly consentRef: string; readonly version: number; readonly ownerOrg: string; readonly organisationId: string; readonly serviceId?: string | undefined;
    readonly categories: readonly DataCategory[]; readonly purpose: 'service' | 'transfer'; readonly until: Date; readonly withdrawn: boolean;
  };
}

const waiting: ReadonlySet<string> = new Set(['submitted', 'acknowledged', 'offered']);
const accepted: ReadonlySet<string> = new Set(['accepted', 'scheduled', 'in-progress', 'completed', 'closed']);

/** The same answer to strangers and to whoever asks before the referral has arrived here: neither learns that there is one. */
export const unseen = (): Refusal => new Refusal('not-found', { retryAfterSeconds: askAgainAfterSeconds });

/**
 * Why this caller may not see it now, or undefined: then exactly the consent's categories may be opened. Only the named
 * receiver learns more than that there is nothing.
 */
export function refuseDisclosure(asked: Asked, grant: Grant | undefined, caller: { organisationId: string; ownerOrg: string }, now: Date): Refusal | undefined {
  if (!grant || grant.ownerOrg !== caller.ownerOrg || grant.toOrg !== caller.organisationId) return unseen();
  if (asked === 'profile' && grant.kind !== 'referral') return unseen();
  const { consent } = grant;
  if (consent.withdrawn || consent.until.getTime() <= now.getTime()) return new Refusal('consent-withdrawn');
  // A stub's old consents ended with the hand-over: the new owner asks her anew.
  if (grant.kind === 'referral' && grant.caseTransferred) return new Refusal('consent-withdrawn');
  if (grant.status === 'withdrawn') return new Refusal('consent-withdrawn');
  if (!waiting.has(grant.status) && !accepted.has(grant.status)) return new Refusal('gone');
  if (!covers(grant)) return new Refusal('suppressed');
  if (asked === 'content' && waiting.has(grant.status)) return new Refusal('acceptance-not-yet-seen', { retryAfterSeconds: askAgainAfterSeconds });
  return undefined;
}

function covers({ kind, ownerOrg, toOrg, serviceId, consent }: Grant): boolean {
  if (consent.ownerOrg !== ownerOrg || consent.organisationId !== toOrg || consent.categories.length === 0) return false;
  if (consent.purpose !== (kind === 'transfer' ? 'transfer' : 'service')) return false;
  return consent.serviceId === undefined || serviceId === undefined || consent.serviceId === serviceId;
}
