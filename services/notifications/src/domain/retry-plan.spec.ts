import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mailWaitsMs, nextTryAt, webhookWaitsMs } from './retry-plan.ts';

const now = new Date('2024-01-01T00:00:00.000Z');

describe('the retry plan', () => {
  it('ends: after the last try nothing follows', () => {
    expect(nextTryAt(webhookWaitsMs, webhookWaitsMs.length, { now, random: Math.random })).toBeUndefined();
    expect(nextTryAt(mailWaitsMs, mailWaitsMs.length, { now, random: Math.random })).toBeUndefined();
  });

  it('tries a webhook ten times over three days: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h', () => {
    expect(webhookWaitsMs.map((waitMs) => waitMs / 1_000)).toEqual([0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  });

  it('keeps within a fifth of each wait', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const waitMs = nextTryAt(webhookWaitsMs, attempt, { now, random: () => random })!.getTime() - now.getTime();
      expect(waitMs).toBeGreaterThanOrEqual(Math.floor(webhookWaitsMs[attempt]! * 0.8));
      expect(waitMs).toBeLessThanOrEqual(Math.ceil(webhookWaitsMs[attempt]! * 1.2));
    }), { seed: 20, numRuns: 300 });
  });

  it('is never shorter than what the receiver asked for, up to a day', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(200 * 3_600_000), (attempt, retryAfterMs) => {
      const waitMs = nextTryAt(webhookWaitsMs, attempt, { now, random: () => 0, retryAfterMs })!.getTime() - now.getTime();
      expect(waitMs).toBeGreaterThanOrEqual(Math.min(retryAfterMs, 24 * 3_600_000));
    }), { seed: 21, numRuns: 300 });
  });
});
