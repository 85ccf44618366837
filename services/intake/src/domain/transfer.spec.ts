import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { type Case, caseDecider } from './case.ts';
import type { CaseEvent } from './case-events.ts';
import { acceptTransfer, declineTransfer, expireTransfer, offer, settleTransfer, startTransfer, transferDecider, type TransferFacts } from './transfer.ts';

const now = new Date('2023-03-01T10:00:00.000Z');
const inAWeek = new Date('2023-03-08T10:00:00.000Z');
const [fromOrg, toOrg] = ['bd113c23-c8f5-4fb7-bb09-797bf2376d53', '4dad89d7-869e-466d-b732-3e60761de948'];
const [caseId, transferId, consentRef] = ['0a5a7b1c-3c63-4d0f-9b53-0c5a4d3a7f10', '3f0f7f5e-8e6d-4f57-93ff-5b8f3c0f6a11', '9a7b1c0d-5e6f-4a3b-8c2d-1e0f9a8b7c6d'];
const consent = { caseId, organisationId: toOrg, purpose: 'transfer', live: true };
const facts = (changes: Partial<TransferFacts> = {}): TransferFacts => ({ consent, openReferrals: 0, ...changes });
const wanted = { transferId, caseId, fromOrg, toOrg, consentRef };
const offered = given(transferDecider).when((state) => offer(state, wanted, facts(), now)).yields('intake.transfer-prepared.v1', 'intake.transfer-offered.v1');
const opened: CaseEvent = { type: 'intake.case-opened.v1', data: { organisationId: fromOrg, at: now.toISOString(), channel: 'walk_in' } };
const pending: CaseEvent = { type: 'intake.transfer-pending.v1', data: { transferId } };

describe('offering a case', () => {
  it('is refused while a referral is open, without her consent to exactly this, and to oneself', () => {
    given(transferDecider).when((state) => offer(state, wanted, facts({ openReferrals: 1 }), now)).refuses('open-referrals');
    for (const wrong of [undefined, { ...consent, caseId: transferId }, { ...consent, organisationId: fromOrg }, { ...consent, purpose: 'service' }]) {
      given(transferDecider).when((state) => offer(state, wanted, facts({ consent: wrong }), now)).refuses('consent-missing');
    }
    given(transferDecider).when((state) => offer(state, wanted, facts({ consent: { ...consent, live: false } }), now)).refuses('consent-withdrawn');
    given(transferDecider).when((state) => offer(state, { ...wanted, toOrg: fromOrg }, facts(), now)).refuses('illegal-transition');
  });

  it('is one offer at a time, of a case that somebody spoke with her about', () => {
    given<Case, CaseEvent>(caseDecider, [opened, pending]).when((state) => startTransfer(state, consentRef)).refuses('illegal-transition');
    given<Case, CaseEvent>(caseDecider, [{ type: 'intake.case-imported.v1', data: { organisationId: fromOrg } }]).when((state) => startTransfer(state, transferId)).refuses('consent-not-recorded');
    given<Case, CaseEvent>(caseDecider, [opened]).when((state) => startTransfer(state, transferId)).yields('intake.transfer-pending.v1');
  });

  it('tells the bus nothing of the case', () => {
    expect(offered[1]!.data).toEqual({ transferId, fromOrg, toOrg, consentRef, expiresAt: inAWeek.toISOString() });
  });
});

describe('answering an offer', () => {
  it('is refused when it has run out, was answered, or no longer holds', () => {
    given(transferDecider, offered).when((state) => acceptTransfer(state, transferId, facts(), inAWeek)).refuses('illegal-transition');
    given(transferDecider, offered).when((state) => acceptTransfer(state, transferId, facts({ openReferrals: 1 }), now)).refuses('open-referrals');
    given(transferDecider, offered).when((state) => acceptTransfer(state, transferId, facts({ consent: { ...consent, live: false } }), now)).refuses('consent-withdrawn');
    const accepted = given(transferDecider, offered).when((state) => acceptTransfer(state, transferId, facts(), now)).yields('intake.transfer-accepted.v1');
    given(transferDecider, [...offered, ...accepted]).when((state) => declineTransfer(state, transferId, now)).refuses('illegal-transition');
  });

  it('expires by itself after a week, once, and never after an answer', () => {
    given(transferDecider, offered).when((state) => expireTransfer(state, transferId, now)).yields();
    const expired = given(transferDecider, offered).when((state) => expireTransfer(state, transferId, inAWeek)).yields('intake.transfer-expired.v1');
    given(transferDecider, [...offered, ...expired]).when((state) => expireTransfer(state, transferId, inAWeek)).yields();
  });

  it('makes the old case a stub when it is accepted, and leaves it as it was otherwise', () => {
    given<Case, CaseEvent>(caseDecider, [opened]).when((state) => settleTransfer(state, transferId, 'accepted')).refuses('illegal-transition');
    const left = given<Case, CaseEvent>(caseDecider, [opened, pending]).when((state) => settleTransfer(state, transferId, 'accepted')).yields('intake.transfer-settled.v1');
    expect(given<Case, CaseEvent>(caseDecider, [opened, pending, ...left]).state.status).toBe('transferred-out');
    const kept = given<Case, CaseEvent>(caseDecider, [opened, pending]).when((state) => settleTransfer(state, transferId, 'declined')).yields('intake.transfer-settled.v1');
    const { state } = given<Case, CaseEvent>(caseDecider, [opened, pending, ...kept]);
    expect(state.status).toBe('active');
    given<Case, CaseEvent>(caseDecider, [opened, pending, ...kept]).when((current) => startTransfer(current, consentRef)).yields('intake.transfer-pending.v1');
  });
});
