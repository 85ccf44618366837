import { describe, expect, it } from '@jest/globals';
import { replay } from '@amana/decider';
import { given } from '@amana/testing';
import { confirm, endStay, expire, type HoldEvent, holdDecider, holdUntil, letGo, place, type Placed, release, releaseDue, startStay } from './hold.ts';

const ids = Array.from({ length: 8 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
const [holdId, referralId, organisationId, fromOrg, serviceId, siteId, bedId, otherReferral] = ids as [string, string, string, string, string, string, string, string];
const at = (hours: number) => new Date(Date.parse('2022-11-11T12:30:00.000Z') + hours * 3_600_000);
const now = at(0);
const releaseHoldAt = at(24).toISOString();

const hold: Placed = {
  holdId, referralId, organisationId, fromOrg, serviceId, siteId, bedIds: [bedId], placementClass: 'woman', dependantsCount: 0, responsibleRole: 'focal-point', expiresAt: holdUntil('urgent', now),
};
const asked = { status: 'acknowledged', expiresAt: at(36), alreadyHeld: false };
const ownIds = { holdId, referralId, organisationId };
const placed: HoldEvent[] = [{ type: 'shelter.hold-placed.v1', data: hold }];
const confirmed: HoldEvent[] = [...placed, { type: 'shelter.hold-confirmed.v1', data: ownIds }];
const occupied: HoldEvent[] = [...confirmed, { type: 'shelter.stay-started.v1', data: { ...ownIds, startedOn: '2022-11-14' } }];
const ended: HoldEvent[] = [...occupied, { type: 'shelter.stay-ended.v1', data: { ...ownIds, endedOn: '2023-04-13', outcomeCode: 'delivered' } }];
const released: HoldEvent[] = [...placed, { type: 'shelter.hold-released.v1', data: { ...ownIds, reasonCode: 'not-needed' } }];
const deferred: HoldEvent[] = [...confirmed, { type: 'shelter.release-deferred.v1', data: { releaseAt: releaseHoldAt, reasonCode: 'withdrawn' } }];
const everyState = { placed, confirmed, occupied, ended, released };

describe('placing a hold', () => {
  it('is refused for a referral that no longer awaits its answer', () => {
    for (const status of ['accepted', 'declined', 'withdrawn', 'cancelled', 'expired', 'completed']) given(holdDecider).when((state) => place(state, { ...asked, status }, hold, now)).refuses('illegal-transition');
    given(holdDecider).when((state) => place(state, asked, hold, at(36))).refuses('illegal-transition');
  });

  it('is refused while a bed is already held for the referral', () => {
    given(holdDecider).when((state) => place(state, { ...asked, alreadyHeld: true }, hold, now)).refuses('already-held');
  });

  it('is refused without beds for the whole household', () => {
    given(holdDecider).when((state) => place(state, asked, undefined, now)).refuses('no-free-bed');
  });

  it('tells the network class and clock, and neither site nor bed', () => {
    const [, held] = given(holdDecider).when((state) => place(state, asked, hold, now)).yields('shelter.hold-placed.v1', 'shelter.bed-held.v1');
    expect(held!.data).toEqual({ ...ownIds, expiresAt: at(24).toISOString(), placementClass: 'woman', dependantsCount: 0 });
  });

  it('lasts two hours when a life depends on it and a day otherwise', () => {
    expect(holdUntil('stat', now)).toBe(at(2).toISOString());
    for (const urgency of ['asap', 'urgent', 'routine'] as const) expect(holdUntil(urgency, now)).toBe(at(24).toISOString());
  });
});

describe('the answer to a hold', () => {
  it('changes nothing for a hold that is not there, or that another referral asked for', () => {
    given(holdDecider).when((state) => confirm(state, { referralId }, now)).yields();
    given(holdDecider, placed).when((state) => confirm(state, { referralId: otherReferral }, now)).yields();
  });

  it('confirms an unconfirmed hold, once', () => {
    given(holdDecider, placed).when((state) => confirm(state, { referralId }, at(23))).yields('shelter.hold-confirmed.v1');
    for (const past of [confirmed, occupied, ended]) given(holdDecider, past).when((state) => confirm(state, { referralId }, at(23))).yields();
  });

  it('does not trust the timer: a hold past its end is lost even if nobody marked it', () => {
    given(holdDecider, placed).when((state) => confirm(state, { referralId }, at(24))).yields('shelter.hold-lost.v1');
  });

  it('reports a hold that was given back meanwhile as lost, so that the referral hears of it', () => {
    given(holdDecider, released).when((state) => confirm(state, { referralId }, now)).yields('shelter.hold-lost.v1');
    given(holdDecider, [...placed, { type: 'shelter.hold-expired.v1', data: ownIds }]).when((state) => confirm(state, { referralId }, at(25))).yields('shelter.hold-lost.v1');
    given(holdDecider, [...released, { type: 'shelter.hold-lost.v1', data: ownIds }]).when((state) => confirm(state, { referralId }, now)).yields();
  });
});

describe('the end of a hold', () => {
  it('does not end a stay: only people do', () => {
    for (const past of [occupied, ended, released]) given(holdDecider, past).when((state) => letGo(state, { reasonCode: 'cancelled' }, now)).yields();
  });

  it('comes at once with the reason when the referral was cancelled or has failed', () => {
    for (const past of [placed, confirmed]) {
      const [event] = given(holdDecider, past).when((state) => letGo(state, { reasonCode: 'failed' }, now)).yields('shelter.hold-released.v1');
      expect(event!.data).toEqual({ ...ownIds, reasonCode: 'failed' });
    }
  });

  it('waits after a withdrawal, since that can be forced, and no second message shortens the time', () => {
    given(holdDecider, confirmed).when((state) => letGo(state, { reasonCode: 'withdrawn', releaseHoldAt }, now)).yields('shelter.release-deferred.v1');
    given(holdDecider, deferred).when((state) => letGo(state, { reasonCode: 'withdrawn', releaseHoldAt }, now)).yields();
    given(holdDecider, deferred).when((state) => letGo(state, { reasonCode: 'cancelled' }, now)).yields();
    given(holdDecider, deferred).when((state) => releaseDue(state, at(23))).yields();
    given(holdDecider, deferred).when((state) => releaseDue(state, at(24))).yields('shelter.hold-released.v1');
    given(holdDecider, confirmed).when((state) => letGo(state, { reasonCode: 'withdrawn', releaseHoldAt }, at(25))).yields('shelter.hold-released.v1');
  });

  it('does not come by the timer before its time, nor to a hold that was confirmed or is waiting', () => {
    given(holdDecider, placed).when((state) => expire(state, at(23))).yields();
    given(holdDecider, confirmed).when((state) => expire(state, at(25))).yields();
    given(holdDecider, [...placed, deferred.at(-1)!]).when((state) => expire(state, at(24))).yields();
    given(holdDecider, placed).when((state) => expire(state, at(24))).yields('shelter.hold-expired.v1');
  });

  it('comes by the shelter\'s own word only before the referral was accepted', () => {
    for (const past of [[], confirmed, occupied, ended, released, deferred]) given(holdDecider, past).when((state) => release(state)).refuses('illegal-transition');
    given(holdDecider, placed).when((state) => release(state)).yields('shelter.hold-released.v1');
  });
});

describe('a stay', () => {
  it('begins with nothing but a confirmed hold', () => {
    for (const past of [[], placed, occupied, ended, released]) given(holdDecider, past).when((state) => startStay(state, now.toISOString(), now)).refuses('illegal-transition');
  });

  it('neither begins nor ends in the future, nor ends before it began', () => {
    given(holdDecider, confirmed).when((state) => startStay(state, at(1).toISOString(), now)).refuses('occurred-in-future');
    given(holdDecider, occupied).when((state) => endStay(state, { outcomeCode: 'delivered', endedAt: at(1000).toISOString() }, at(999))).refuses('occurred-in-future');
    given(holdDecider, occupied).when((state) => endStay(state, { outcomeCode: 'delivered', endedAt: '2022-11-13T10:00:00.000Z' }, at(999))).refuses('validation-failed');
  });

  it('ends once, and only after it began', () => {
    for (const past of Object.values(everyState).filter((known) => known !== occupied)) {
      given(holdDecider, past).when((state) => endStay(state, { outcomeCode: 'delivered', endedAt: now.toISOString() }, now)).refuses('illegal-transition');
    }
  });

  it('is told by the local day alone', () => {
    const [started] = given(holdDecider, confirmed).when((state) => startStay(state, '2022-11-13T23:30:00.000Z', at(99))).yields('shelter.stay-started.v1');
    expect(started!.data).toEqual({ ...ownIds, startedOn: '2022-11-14' });
    const [over] = given(holdDecider, occupied).when((state) => endStay(state, { outcomeCode: 'delivered', endedAt: '2023-04-13T10:00:00.000Z' }, new Date('2023-04-13T10:00:00.000Z'))).yields('shelter.stay-ended.v1');
    expect(over!.data).toEqual({ ...ownIds, endedOn: '2023-04-13', outcomeCode: 'delivered' });
  });

  it('is not refused because a withdrawal waits for its time: she is let in', () => {
    given(holdDecider, deferred).when((state) => startStay(state, now.toISOString(), now)).yields('shelter.stay-started.v1');
    expect(replay(holdDecider, [...deferred, ...occupied.slice(-1)]).status).toBe('occupied');
  });
});
