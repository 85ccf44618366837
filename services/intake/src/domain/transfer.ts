import { type EventOf, Id, intakeEvents, privateEvent, Refusal } from '@amana/contracts';
import type { Decider } from '@amana/decider';
import { z } from 'zod';
import { type Case, refuseUnlessActive } from './case.ts';
import type { CaseEvent } from './case-events.ts';

const offerStandsMs = 7 * 86_400_000;

export const privateTransferEvents = {
  /** Which case it is about: known to its owner alone. */
  Prepared: privateEvent('intake.transfer-prepared.v1', z.strictObject({ caseId: Id })),
} as const;

const { TransferOffered, TransferAccepted, TransferDeclined, TransferExpired } = intakeEvents;
export const publishedTransferEvents = { TransferOffered, TransferAccepted, TransferDeclined, TransferExpired } as const;
export type TransferEvent = EventOf<typeof privateTransferEvents> | EventOf<typeof publishedTransferEvents>;

export interface KnownTransfer {
  readonly status: 'offered' | 'accepted' | 'declined' | 'expired';
  readonly caseId: string;
  readonly fromOrg: string;
  readonly toOrg: string;
  readonly consentRef: string;
  readonly expiresAt: string;
}
export type Transfer = { readonly status: 'none'; readonly caseId?: string } | KnownTransfer;

/** The hand-over of a case from its owner to another organisation; until it is accepted the old owner has it, afterwards the new one. */
export const transferDecider: Decider<Transfer, TransferEvent> = {
  initial: { status: 'none' },
  evolve(state, event) {
    if (event.type === 'intake.transfer-prepared.v1') return { status: 'none', caseId: event.data.caseId };
    if (event.type === 'intake.transfer-offered.v1') {
      const { fromOrg, toOrg, consentRef, expiresAt } = event.data;
      return { status: 'offered', caseId: state.caseId!, fromOrg, toOrg, consentRef, expiresAt };
    }
    if (state.status === 'none') return state;
    switch (event.type) {
      case 'intake.transfer-accepted.v1': return { ...state, status: 'accepted' };
      case 'intake.transfer-declined.v1': return { ...state, status: 'declined' };
      case 'intake.transfer-expired.v1': return { ...state, status: 'expired' };
    }
  },
};

/** What the owner's database says about a transfer consent and the case's referrals at this moment. */
export interface TransferFacts {
  readonly consent: { readonly caseId: string; readonly organisationId: string; readonly purpose: string; readonly live: boolean } | undefined;
  readonly openReferrals: number;
}

type Decision = readonly TransferEvent[] | Refusal;

export function offer(state: Transfer, offered: { transferId: string; caseId: string; fromOrg: string; toOrg: string; consentRef: string }, facts: TransferFacts, now: Date): Decision {
  if (state.status !== 'none' || offered.fromOrg === offered.toOrg) return new Refusal('illegal-transition');
  const refused = refuseHandOver(offered, facts);
  if (refused) return refused;
  const { caseId, ...parties } = offered;
  return [
    { type: 'intake.transfer-prepared.v1', data: { caseId } },
    { type: 'intake.transfer-offered.v1', data: { ...parties, expiresAt: new Date(now.getTime() + offerStandsMs).toISOString() } },
  ];
}

/** The new owner says yes. Consent and referrals are looked at again: a week may have passed since the offer. */
export function acceptTransfer(state: Transfer, transferId: string, facts: TransferFacts, now: Date): Decision {
  if (state.status !== 'offered' || isPast(state, now)) return new Refusal('illegal-transition');
  return refuseHandOver(state, facts) ?? [{ type: 'intake.transfer-accepted.v1', data: parties(state, transferId) }];
}

export function declineTransfer(state: Transfer, transferId: string, now: Date): Decision {
  if (state.status !== 'offered' || isPast(state, now)) return new Refusal('illegal-transition');
  return [{ type: 'intake.transfer-declined.v1', data: parties(state, transferId) }];
}

export function expireTransfer(state: Transfer, transferId: string, now: Date): readonly TransferEvent[] {
  return state.status === 'offered' && isPast(state, now) ? [{ type: 'intake.transfer-expired.v1', data: parties(state, transferId) }] : [];
}

/** The case's own part: one offer at a time. */
export function startTransfer(state: Case, transferId: string): readonly CaseEvent[] | Refusal {
  if (state.status === 'imported-draft') return new Refusal('consent-not-recorded');
  const refused = refuseUnlessActive(state);
  if (refused || state.status === 'none') return refused ?? new Refusal('illegal-transition');
  return state.pendingTransfer ? new Refusal('illegal-transition') : [{ type: 'intake.transfer-pending.v1', data: { transferId } }];
}

/** Accepted: the case becomes a stub in the same transaction. Otherwise it stays where it is. */
export function settleTransfer(state: Case, transferId: string, outcome: 'accepted' | 'declined' | 'expired'): readonly CaseEvent[] | Refusal {
  if (state.status === 'none' || state.pendingTransfer !== transferId) return outcome === 'accepted' ? new Refusal('illegal-transition') : [];
  return [{ type: 'intake.transfer-settled.v1', data: { transferId, outcome } }];
}

function refuseHandOver(wanted: { caseId: string; toOrg: string }, { consent, openReferrals }: TransferFacts): Refusal | undefined {
  if (!consent || consent.caseId !== wanted.caseId || consent.organisationId !== wanted.toOrg || consent.purpose !== 'transfer') return new Refusal('consent-missing');
  if (!consent.live) return new Refusal('consent-withdrawn');
  return openReferrals > 0 ? new Refusal('open-referrals') : undefined;
}

/** The timer alone is not trusted. */
function isPast(state: KnownTransfer, now: Date): boolean {
  return now.getTime() >= Date.parse(state.expiresAt);
}

function parties(state: KnownTransfer, transferId: string): { transferId: string; fromOrg: string; toOrg: string } {
  return { transferId, fromOrg: state.fromOrg, toOrg: state.toOrg };
}
