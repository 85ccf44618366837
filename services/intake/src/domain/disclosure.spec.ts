import { describe, expect, it } from '@jest/globals';
import { type Asked, type Grant, refuseDisclosure } from './disclosure.ts';

const now = new Date('2023-03-01T10:00:00.000Z');
const [ownerOrg, toOrg, stranger, serviceId] = ['4dad89d7-869e-466d-b732-3e60761de948', '77f26e51-b398-4206-8088-26e3b781a8e4', '5b28698b-7c30-43d0-9d3d-db1972f09534', '3b8c53cf-d55d-4db1-a679-215481631f24'];
const consent: Grant['consent'] = { consentRef: serviceId, version: 1, ownerOrg, organisationId: toOrg, serviceId, categories: ['identity'], purpose: 'service', until: new Date('2023-09-01T10:00:00.000Z'), withdrawn: false };
const grant = (changes: Partial<Grant> = {}, of: Partial<Grant['consent']> = {}): Grant => ({ kind: 'referral', status: 'accepted', ownerOrg, toOrg, serviceId, caseTransferred: false, ...changes, consent: { ...consent, ...of } });
const asked = (what: Asked, of: Grant | undefined, organisationId: string = toOrg, owner: string = ownerOrg) => refuseDisclosure(what, of, { organisationId, ownerOrg: owner }, now);

describe('a disclosure', () => {
  it('answers a stranger, the owner and whoever comes too early in the same way', () => {
    for (const refusal of [asked('content', undefined), asked('content', grant(), stranger), asked('content', grant(), ownerOrg), asked('content', grant(), toOrg, stranger), asked('profile', undefined), asked('profile', grant(), stranger)]) {
      expect([refusal?.code, refusal?.retryAfterSeconds]).toEqual(['not-found', 2]);
    }
  });

  it('ends with her consent, whatever the referral says, for bands too', () => {
    for (const what of ['profile', 'content'] as const) {
      for (const status of ['submitted', 'accepted', 'completed', 'declined']) {
        expect(asked(what, grant({ status }, { withdrawn: true }))?.code).toBe('consent-withdrawn');
        expect(asked(what, grant({ status }, { until: now }))?.code).toBe('consent-withdrawn');
      }
      expect(asked(what, grant({ status: 'withdrawn' }))?.code).toBe('consent-withdrawn');
      expect(asked(what, grant({ caseTransferred: true }))?.code).toBe('consent-withdrawn');
    }
  });

  it('is closed to a receiver that declined, let it expire, failed or was cancelled', () => {
    for (const status of ['declined', 'expired', 'failed', 'cancelled', 'unheard-of']) expect(asked('content', grant({ status }))?.code).toBe('gone');
  });

  it('is suppressed where her consent is for somebody or something else', () => {
    for (const changes of [{ organisationId: stranger }, { ownerOrg: stranger }, { serviceId: stranger }, { purpose: 'transfer' as const }, { categories: [] }]) expect(asked('content', grant({}, changes))?.code).toBe('suppressed');
  });

  it('shows bands from submission on, and the rest after the acceptance has been seen', () => {
    for (const status of ['submitted', 'acknowledged']) {
      expect(asked('profile', grant({ status }))).toBeUndefined();
      const early = asked('content', grant({ status }));
      expect([early?.code, early?.retryAfterSeconds]).toEqual(['acceptance-not-yet-seen', 2]);
    }
    for (const status of ['accepted', 'scheduled', 'in-progress', 'completed', 'closed']) expect(asked('content', grant({ status }))).toBeUndefined();
  });

  it('hands the file of a transfer over once it is accepted, although the case is a stub then; a transfer has no bands', () => {
    const transfer = (status: string) => grant({ kind: 'transfer', status, serviceId: undefined, caseTransferred: true }, { purpose: 'transfer', serviceId: undefined });
    expect(asked('content', transfer('offered'))?.code).toBe('acceptance-not-yet-seen');
    expect(asked('content', transfer('declined'))?.code).toBe('gone');
    expect(asked('content', transfer('accepted'))).toBeUndefined();
    expect(asked('profile', transfer('accepted'))?.code).toBe('not-found');
  });
});
