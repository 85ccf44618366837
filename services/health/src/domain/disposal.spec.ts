import { describe, it } from '@jest/globals';
import { given } from '@amana/testing';
import { acknowledge, attest, disposalDecider } from './disposal.ts';

const consentRef = '00000000-0000-4000-8000-000000000001';
const organisationId = '00000000-0000-4000-8000-000000000002';
const disposeNotBefore = '2022-11-17T10:00:00.000Z';
const before = new Date('2022-11-17T09:59:59.000Z');
const after = new Date(disposeNotBefore);
const heard = given(disposalDecider).when((state) => acknowledge(state, { consentRef, organisationId, disposeNotBefore })).yields('health.consent-withdrawal-acknowledged.v1', 'health.disposal-awaited.v1');

describe('the end of a consent at the clinic', () => {
  it('leaves nothing to attest where it was never heard of', () => {
    given(disposalDecider).when((state) => attest(state, 'deleted', after)).refuses('illegal-transition');
  });

  it('destroys nothing before the safety check had its time, because a withdrawal can be forced', () => {
    given(disposalDecider, heard).when((state) => attest(state, 'deleted', before)).refuses('illegal-transition');
    given(disposalDecider, heard).when((state) => attest(state, 'deleted', after)).yields('health.data-disposal-attested.v1');
  });

  it('lets data be returned or kept for the law at once', () => {
    for (const disposition of ['returned', 'legal_hold'] as const) given(disposalDecider, heard).when((state) => attest(state, disposition, before)).yields('health.data-disposal-attested.v1');
  });

  it('is acknowledged once and attested once', () => {
    given(disposalDecider, heard).when((state) => acknowledge(state, { consentRef, organisationId, disposeNotBefore })).yields();
    const attested = given(disposalDecider, heard).when((state) => attest(state, 'returned', before)).yields('health.data-disposal-attested.v1');
    given(disposalDecider, [...heard, ...attested]).when((state) => attest(state, 'deleted', after)).refuses('illegal-transition');
  });
});
