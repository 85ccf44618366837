import { describe, expect, it } from '@jest/globals';
import { type DeclineReason, Refusal } from '@amana/contracts';
import { replay } from '@amana/decider';
import { given } from '@amana/testing';
import {
  accept, acceptWithHold, acknowledge, cancel, closeLoop, complete, confirmArrival, decline, escalate, expire, fail, redirect, referralDecider, type ReferralEvent, start, submit, withdraw,
} from './referral.ts';

const ids = Array.from({ length: 12 }, (_, n) => `00000000-0000-4000-8000-0000000000${String(n).padStart(2, '0')}`);
const [referralId, secondId, fromOrg, shelterOrg, clinicOrg, serviceId, consentRef, secondConsent, holdId] = ids as [string, string, string, string, string, string, string, string, string];
const now = new Date('2022-11-14T10:00:00.000Z');
const later = new Date('2023-06-01T10:00:00.000Z');
const releaseHoldAt = '2022-11-15T10:00:00.000Z';

function drafted(serviceKind: 'shelter' | 'health' | 'psychosocial' = 'health'): ReferralEvent {
  const consentUntil = '2023-02-01T00:00:00.000Z';
  const organisationId = serviceKind === 'shelter' ? shelterOrg : clinicOrg;
  return {
    type: 'referral.drafted.v1',
    data: {
      fromOrg, matchedServiceIds: [], urgency: 'urgent', dependantsCount: 0, occurredAt: now.toISOString(), deliveryMode: 'system',
      recipients: [{ referralId, serviceId, organisationId, serviceKind, consentRef, consentUntil }, { referralId: secondId, serviceId, organisationId: clinicOrg, serviceKind, consentRef: secondConsent, consentUntil }],
    },
  };
}

function past(kind: 'shelter' | 'health' | 'psychosocial' = 'health', ...decisions: ((state: ReturnType<typeof referralDecider.evolve>) => readonly ReferralEvent[] | Refusal)[]): ReferralEvent[] {
  const events = [drafted(kind)];
  for (const decide of [(state: ReturnType<typeof referralDecider.evolve>) => submit(state, undefined, now), ...decisions]) {
    const more = decide(replay(referralDecider, events));
    if (more instanceof Refusal) throw more;
    events.push(...more);
  }
  return events;
}

const yes = { responsibleRole: 'clinician' };
const no = (reasonCode: DeclineReason) => ({ reasonCode, alternatives: [] });

describe('a referral', () => {
  it('is not sent when her consent has ended, and stays a draft', () => {
    given(referralDecider, [drafted()]).when((state) => submit(state, new Refusal('consent-withdrawn'), now)).refuses('consent-withdrawn');
    given(referralDecider, [drafted()]).when((state) => submit(state, undefined, later)).refuses('consent-invalid');
  });

  it('is not answered twice', () => {
    const accepted = past('health', (state) => accept(state, yes, now));
    given(referralDecider, accepted).when((state) => accept(state, yes, now)).refuses('illegal-transition');
    given(referralDecider, accepted).when((state) => decline(state, no('no_capacity'), now)).refuses('illegal-transition');
  });

  it('is not answered after its end, even before the timer has marked it', () => {
    for (const answer of [acknowledge, (state: never, at: Date) => accept(state, yes, at), (state: never, at: Date) => decline(state, no('no_capacity'), at)] as typeof acknowledge[]) {
      given(referralDecider, past()).when((state) => answer(state, later)).refuses('illegal-transition');
    }
  });

  it('to a shelter is not accepted without a bed', () => {
    given(referralDecider, past('shelter')).when((state) => accept(state, yes, now)).refuses('hold-required');
  });

  it('of a clinic is not started or completed by a bare command', () => {
    const accepted = past('health', (state) => accept(state, yes, now));
    given(referralDecider, accepted).when((state) => start(state, 'command')).refuses('illegal-transition');
    given(referralDecider, accepted).when((state) => complete(state, 'delivered', 'command')).refuses('illegal-transition');
  });

  it('is closed only after it was completed', () => {
    given(referralDecider, past()).when((state) => closeLoop(state, 'received')).refuses('illegal-transition');
  });

  it('carries its clocks and its parties when it is sent', () => {
    const [event] = given(referralDecider, [drafted()]).when((state) => submit(state, undefined, now)).yields('referral.submitted.v1');
    expect(event!.data).toMatchObject({ referralId, fromOrg, toOrg: clinicOrg, consentRef, decideBy: '2022-11-15T10:00:00.000Z', expiresAt: '2022-11-15T22:00:00.000Z' });
  });

  it('is accepted by a held bed, once, and a late or foreign hold is told to let go or ignored', () => {
    const open = past('shelter');
    const accepted = given(referralDecider, open).when((state) => acceptWithHold(state, { holdId, organisationId: shelterOrg }, now)).yields('referral.accepted.v1');
    given(referralDecider, [...open, ...accepted]).when((state) => acceptWithHold(state, { holdId, organisationId: shelterOrg }, now)).yields();
    given(referralDecider, [...open, ...accepted]).when((state) => acceptWithHold(state, { holdId: ids[11]!, organisationId: shelterOrg }, now)).yields('referral.acceptance-refused.v1');
    given(referralDecider, open).when((state) => acceptWithHold(state, { holdId, organisationId: clinicOrg }, now)).yields();
  });

  it('tells a hold that came after a withdrawal when to let the bed go', () => {
    const withdrawn = past('shelter', (state) => withdraw(state, { service: 'stop', releaseHoldAt }));
    const [event] = given(referralDecider, withdrawn).when((state) => acceptWithHold(state, { holdId, organisationId: shelterOrg }, now)).yields('referral.acceptance-refused.v1');
    expect(event!.data).toMatchObject({ reasonCode: 'withdrawn', releaseHoldAt });
  });

  it('hides a safety conflict from everyone but the receiver', () => {
    const [declined, noted] = given(referralDecider, past('shelter')).when((state) => decline(state, no('safety_conflict'), now)).yields('referral.declined.v1', 'referral.decline-noted.v1');
    expect(declined!.data).toMatchObject({ reasonCode: 'unsuitable_placement' });
    expect(noted!.data).toEqual({ reasonCode: 'safety_conflict' });
  });

  it('goes to the next consented recipient after a no, under an id of its own, and only once', () => {
    const ended = replay(referralDecider, past('shelter', (state) => decline(state, no('no_capacity'), now)));
    const next = given(referralDecider).when((state) => redirect(state, ended, 1, { mayReceive: undefined, now })).yields('referral.drafted.v1', 'referral.submitted.v1');
    expect(next[1]!.data).toMatchObject({ referralId: secondId, redirectedFrom: referralId, consentRef: secondConsent });
    given(referralDecider, next).when((state) => redirect(state, ended, 1, { mayReceive: undefined, now })).yields();
    given(referralDecider).when((state) => redirect(state, ended, 1, { mayReceive: new Refusal('consent-withdrawn'), now })).yields();
  });

  it('expires when nobody answers, and not when somebody did', () => {
    given(referralDecider, past()).when((state) => expire(state, [], now)).yields();
    given(referralDecider, past()).when((state) => expire(state, [serviceId], later)).yields('referral.expired.v1');
    given(referralDecider, past('health', (state) => accept(state, yes, now))).when((state) => expire(state, [], later)).yields();
    given(referralDecider, past()).when((state) => escalate(state, 1)).yields('referral.deadline-approaching.v1');
  });

  it('ends when she withdraws, unless the service is under way and she wants it to go on', () => {
    const underWay = past('psychosocial', (state) => accept(state, yes, now), (state) => start(state, 'command'));
    given(referralDecider, underWay).when((state) => withdraw(state, { service: 'continue', releaseHoldAt })).yields();
    given(referralDecider, underWay).when((state) => withdraw(state, { service: 'stop', releaseHoldAt })).yields('referral.withdrawn.v1');
    given(referralDecider, past()).when((state) => withdraw(state, { service: 'continue', releaseHoldAt })).yields('referral.withdrawn.v1');
  });

  it('runs from yes to closed loop', () => {
    const served = past('psychosocial', (state) => acknowledge(state, now), (state) => accept(state, yes, now), confirmArrival, (state) => start(state, 'command'), (state) => complete(state, 'delivered', 'command'));
    given(referralDecider, served).when((state) => closeLoop(state, 'received')).yields('referral.loop-closed.v1');
    given(referralDecider, served).when((state) => cancel(state, 'moved')).refuses('illegal-transition');
    given(referralDecider, served).when((state) => fail(state, 'unreachable', 'command')).refuses('illegal-transition');
  });
});
