import { describe, it } from '@jest/globals';
import { healthEvents, privateEvent, shelterEvents } from '@amana/contracts';
import { given } from '@amana/testing';
import { acknowledge, attest, DisposalAwaited, disposalDecider } from './disposal.ts';

const consentRef = '00000000-0000-4000-8000-000000000001';
const organisationId = '00000000-0000-4000-8000-000000000002';
const disposeNotBefore = '2022-11-17T10:00:00.000Z';
const before = new Date('2022-11-17T09:59:59.000Z');
const after = new Date(disposeNotBefore);

describe.each([['shelter', shelterEvents], ['health', healthEvents]])('the end of a consent at a holder of %s', (holder, published) => {
  const events = {
    acknowledges: published.ConsentWithdrawalAcknowledged, awaits: privateEvent(`${holder}.disposal-awaited.v1`, DisposalAwaited), attests: published.DataDisposalAttested,
  } as const;
  const decider = disposalDecider(events);
  const attested = `${holder}.data-disposal-attested.v1`;
  const heard = given(decider).when((state) => acknowledge(events, state, { consentRef, organisationId, disposeNotBefore })).yields(`${holder}.consent-withdrawal-acknowledged.v1`, `${holder}.disposal-awaited.v1`);

  it('leaves nothing to attest where it was never heard of', () => {
    given(decider).when((state) => attest(events, state, 'deleted', after)).refuses('illegal-transition');
  });

  it('destroys nothing before the safety check had its time, because a withdrawal can be forced', () => {
    given(decider, heard).when((state) => attest(events, state, 'deleted', before)).refuses('illegal-transition');
    given(decider, heard).when((state) => attest(events, state, 'deleted', after)).yields(attested);
  });

  it('lets data be returned or kept for the law at once', () => {
    for (const disposition of ['returned', 'legal_hold'] as const) given(decider, heard).when((state) => attest(events, state, disposition, before)).yields(attested);
  });

  it('is acknowledged once and attested once', () => {
    given(decider, heard).when((state) => acknowledge(events, state, { consentRef, organisationId, disposeNotBefore })).yields();
    const done = given(decider, heard).when((state) => attest(events, state, 'returned', before)).yields(attested);
    given(decider, [...heard, ...done]).when((state) => attest(events, state, 'deleted', after)).refuses('illegal-transition');
  });
});
