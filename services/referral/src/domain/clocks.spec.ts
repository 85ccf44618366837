import { describe, expect, it } from '@jest/globals';
import { deadlinesOf } from './clocks.ts';

const iso = (date: Date) => date.toISOString();

describe('the clocks of a referral', () => {
  it('run on the wall for life-saving and emergency referrals', () => {
    const clocks = deadlinesOf('stat', new Date('2023-04-01T23:50:00Z'));
    expect([iso(clocks.ackBy), iso(clocks.decideBy), iso(clocks.expiresAt), iso(clocks.serveBy)]).toEqual(['2023-04-02T00:05:00.000Z', '2023-04-02T00:50:00.000Z', '2023-04-02T01:20:00.000Z', '2023-04-02T02:50:00.000Z']);
  });

  it('count only working hours of the receiver for normal referrals: a weekend does not run', () => {
    // Friday 2 June 2023, 15:00 in Casablanca (UTC+1): two hours left that day.
    const clocks = deadlinesOf('routine', new Date('2023-06-02T14:00:00Z'));
    expect(iso(clocks.ackBy)).toBe('2023-06-06T14:00:00.000Z');
    expect(iso(clocks.decideBy)).toBe('2023-06-09T14:00:00.000Z');
  });

  it('follow the zone when Morocco goes to UTC+0 for Ramadan', () => {
    // From 19 March 2023 on the office opens at 09:00 UTC instead of 08:00 UTC.
    expect(iso(deadlinesOf('urgent', new Date('2023-03-17T16:00:00Z')).ackBy)).toBe('2023-03-20T17:00:00.000Z');
    expect(iso(deadlinesOf('urgent', new Date('2023-03-10T16:00:00Z')).ackBy)).toBe('2023-03-13T16:00:00.000Z');
  });

  it('keep a given serve-by, for a clinical window is not ours to stretch', () => {
    const serveBy = new Date('2023-04-02T12:00:00Z');
    expect(deadlinesOf('stat', new Date('2023-04-01T12:00:00Z'), { serveBy }).serveBy).toBe(serveBy);
  });
});
