import { describe, expect, it } from '@jest/globals';
import { publishedEvents } from '@amana/contracts';
import { toldAbout, whoIsTold } from './who-is-told.ts';

const fact = { fromOrg: 'sender', toOrg: 'receiver' };
const toldBy = (type: string, more: object = {}) => whoIsTold(type, { ...fact, ...more }).map(({ organisationId, kind, urgent }) => [organisationId, kind, urgent]);

describe('who is told', () => {
  it('is nobody about what is not in the table', () => {
    for (const type of ['intake.counted.v1', 'intake.receipt-key-published.v1', 'shelter.bed-held.v1', 'referral.audit-entry.v1', 'constructor', '']) expect(toldBy(type)).toEqual([]);
  });

  it('is asked only about events that exist', () => expect(toldAbout.filter((type) => !publishedEvents.has(type))).toEqual([]));

  it('is the receiver of a referral, at once when minutes count', () => {
    expect(toldBy('referral.submitted.v1', { urgency: 'routine' })).toEqual([['receiver', 'needs-answer', false]]);
    expect(toldBy('referral.submitted.v1', { urgency: 'urgent' })).toEqual([['receiver', 'needs-answer', false]]);
    expect(toldBy('referral.submitted.v1', { urgency: 'asap' })).toEqual([['receiver', 'needs-answer', true]]);
    expect(toldBy('referral.submitted.v1', { urgency: 'stat' })).toEqual([['receiver', 'needs-answer', true]]);
  });

  it.each(['acknowledged', 'accepted', 'declined', 'scheduled', 'started'])('is the sender when a referral is %s', (verb) => {
    expect(toldBy(`referral.${verb}.v1`)).toEqual([['sender', 'for-your-information', false]]);
  });

  it.each(['cancelled', 'withdrawn', 'acceptance-refused', 'loop-closed'])('is the receiver when a referral is %s', (verb) => {
    expect(toldBy(`referral.${verb}.v1`)).toEqual([['receiver', 'for-your-information', false]]);
  });

  it('is the sender who has to act: after completion by asking her, after a failure by looking at her safety', () => {
    expect(toldBy('referral.completed.v1')).toEqual([['sender', 'needs-answer', false]]);
    expect(toldBy('referral.failed.v1')).toEqual([['sender', 'needs-answer', true]]);
  });

  it('is both when nobody answered', () => expect(toldBy('referral.expired.v1').map(([organisation]) => organisation)).toEqual(['sender', 'receiver']));

  it('is first the one who must answer, and the second time the one who waits too', () => {
    expect(toldBy('referral.deadline-approaching.v1', { level: 1 })).toEqual([['receiver', 'needs-answer', true]]);
    expect(toldBy('referral.deadline-approaching.v1', { level: 2 })).toEqual([['receiver', 'needs-answer', true], ['sender', 'for-your-information', false]]);
  });

  it('is the other side when somebody confirms that she arrived', () => {
    expect(toldBy('referral.arrival-confirmed.v1', { confirmer: 'sender' })[0]![0]).toBe('receiver');
    expect(toldBy('referral.arrival-confirmed.v1', { confirmer: 'receiver' })[0]![0]).toBe('sender');
  });

  it('is the organisation to which a case is offered, and then the one that offered it', () => {
    expect(toldBy('intake.transfer-offered.v1')).toEqual([['receiver', 'needs-answer', false]]);
    expect(toldBy('intake.transfer-accepted.v1')).toEqual([['sender', 'for-your-information', false]]);
    expect(toldBy('intake.transfer-declined.v1')).toEqual([['sender', 'needs-answer', false]]);
  });
});
