import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { type Case, caseDecider } from './case.ts';
import type { CaseEvent, Conversation } from './case-events.ts';
import { consentDecider, type ConsentEvent, latestUntil, type NamedRecipient, recordConsents, withdraw } from './consent.ts';

const now = new Date('2023-03-01T10:00:00.000Z');
const [owner, clinic, caseId, ref] = ['4dad89d7-869e-466d-b732-3e60761de948', '77f26e51-b398-4206-8088-26e3b781a8e4', '0a5a7b1c-3c63-4d0f-9b53-0c5a4d3a7f10', '3f0f7f5e-8e6d-4f57-93ff-5b8f3c0f6a11'];
const serviceId = '3b8c53cf-d55d-4db1-a679-215481631f24';
const conversation = (changes: Partial<Conversation> = {}): Conversation => ({ at: now.toISOString(), language: 'dyu', method: 'oral', witnessed: true, alone: true, ...changes });
const recipient = (changes: Partial<NamedRecipient> = {}): NamedRecipient => ({
  consentRef: ref, organisationId: clinic, serviceId, categories: ['identity'], purpose: 'service', listed: { status: 'active', protocolVersion: '1', ceiling: ['identity', 'contact'], serviceIds: [serviceId] }, ...changes,
});
const listed = recipient().listed!;
const opened: CaseEvent = { type: 'intake.case-opened.v1', data: { organisationId: owner, at: now.toISOString(), channel: 'walk_in' } };
const screened: CaseEvent = { type: 'intake.screened.v1', data: { outcome: 'presumed', reportingConsent: false } };
const reachable: CaseEvent = { type: 'intake.safe-contact-agreed.v1', data: { reviewOn: '2023-03-20' } };
const ready = [opened, screened, reachable];
const give = (state: Case, recipients: readonly NamedRecipient[], said: Partial<Conversation> = {}) => recordConsents(state, { conversation: conversation(said), decision: 'given', recipients }, now);

describe('recording a consent', () => {
  it('is refused for a draft, a closed case, a case without need, and where she cannot be reached safely', () => {
    given<Case, CaseEvent>(caseDecider, [{ type: 'intake.case-imported.v1', data: { organisationId: owner } }]).when((state) => give(state, [recipient()])).refuses('consent-not-recorded');
    given<Case, CaseEvent>(caseDecider, [...ready, { type: 'intake.case-closed.v1', data: { reasonCode: 'moved' } }]).when((state) => give(state, [recipient()])).refuses('case-closed');
    given<Case, CaseEvent>(caseDecider, [opened, reachable]).when((state) => give(state, [recipient()])).refuses('illegal-transition');
    given<Case, CaseEvent>(caseDecider, [opened, screened]).when((state) => give(state, [recipient()])).refuses('safe-contact-missing');
    given<Case, CaseEvent>(caseDecider, [opened, screened, { ...reachable, data: { reviewOn: '2023-02-28' } }]).when((state) => give(state, [recipient()])).refuses('safe-contact-missing');
  });

  it.each([
    [{ listed: undefined }, 'service-unknown'], [{ serviceId: owner }, 'service-unknown'], [{ listed: { ...listed, status: 'suspended' } }, 'recipient-suspended'], [{ listed: { ...listed, protocolVersion: null } }, 'protocol-missing'],
    [{ categories: ['identity', 'hiv'] }, 'category-over-ceiling'], [{ until: '2023-09-02T10:00:00.000Z' }, 'validation-failed'], [{ until: '2023-03-01T10:00:00.000Z' }, 'validation-failed'],
  ] as const)('is refused for a recipient that may not have it: %j', (changes, code) => {
    given<Case, CaseEvent>(caseDecider, ready).when((state) => give(state, [recipient(changes as Partial<NamedRecipient>)])).refuses(code);
  });

  it('is refused for an organisation with which there is a conflict, before anything else is said about it', () => {
    given<Case, CaseEvent>(caseDecider, [...ready, { type: 'intake.conflict-flagged.v1', data: { organisationId: clinic } }]).when((state) => give(state, [recipient({ listed: undefined })])).refuses('conflict-known');
  });

  it('names three recipients at most, none twice, and needs a witness for what is not written', () => {
    given<Case, CaseEvent>(caseDecider, ready).when((state) => give(state, Array.from({ length: 4 }, () => recipient()))).refuses('too-many-recipients');
    given<Case, CaseEvent>(caseDecider, ready).when((state) => give(state, [recipient(), recipient()])).refuses('validation-failed');
    given<Case, CaseEvent>(caseDecider, ready).when((state) => give(state, [recipient()], { method: 'thumb_mark', witnessed: false })).refuses('validation-failed');
    given<Case, CaseEvent>(caseDecider, ready).when((state) => give(state, [recipient()], { method: 'written', witnessed: false })).yields('intake.consents-given.v1');
  });

  it('lasts six months where she says nothing else, and ends on a day that exists', () => {
    const [event] = given<Case, CaseEvent>(caseDecider, ready).when((state) => give(state, [recipient()])).yields('intake.consents-given.v1');
    expect(event).toMatchObject({ data: { consents: [{ consentRef: ref, givenAt: now.toISOString(), until: '2023-09-01T10:00:00.000Z' }] } });
    expect(latestUntil(new Date('2022-08-31T10:00:00.000Z')).toISOString()).toBe('2023-02-28T10:00:00.000Z');
  });

  it('may be given for a transfer before any assessment, and her refusal is recorded too', () => {
    given<Case, CaseEvent>(caseDecider, [opened, reachable]).when((state) => give(state, [recipient({ purpose: 'transfer', serviceId: undefined })])).yields('intake.consents-given.v1');
    given<Case, CaseEvent>(caseDecider, [opened]).when((state) => recordConsents(state, { conversation: conversation(), decision: 'refused', recipients: [recipient()] }, now)).yields('intake.consents-refused.v1');
  });
});

describe('withdrawing a consent', () => {
  const consent = { consentRef: ref, organisationId: clinic, categories: ['identity' as const], purpose: 'service' as const, givenAt: now.toISOString(), until: '2023-09-01T10:00:00.000Z', language: 'dyu' };
  const past: ConsentEvent[] = [{ type: 'intake.consent-given.v1', data: { caseId, ownerOrg: owner, consent } }];
  const word = { service: 'stop' as const, recordedHow: 'in_person' as const, alone: false, disposeNow: false };

  it('is refused once it has ended', () => {
    const ended = given(consentDecider, past).when((state) => withdraw(state, word, now)).yields('intake.withdrawal-noted.v1', 'intake.consent-withdrawn.v1');
    given(consentDecider, [...past, ...ended]).when((state) => withdraw(state, word, now)).refuses('consent-withdrawn');
  });

  it('acts at once, keeps a held bed a day and what is held three, since it can be forced on her', () => {
    const [, published] = given(consentDecider, past).when((state) => withdraw(state, { ...word, disposeNow: true }, now)).yields('intake.withdrawal-noted.v1', 'intake.consent-withdrawn.v1');
    expect(published!.data).toEqual({ consentRef: ref, version: 2, effectiveAt: now.toISOString(), service: 'stop', releaseHoldAt: '2023-03-02T10:00:00.000Z', disposeNotBefore: '2023-03-04T10:00:00.000Z' });
    expect(JSON.stringify(published)).not.toContain(caseId);
  });

  it('lets destruction begin now if she is alone and asks for it', () => {
    const [, published] = given(consentDecider, past).when((state) => withdraw(state, { ...word, alone: true, disposeNow: true }, now)).yields('intake.withdrawal-noted.v1', 'intake.consent-withdrawn.v1');
    expect(published!.data).toMatchObject({ disposeNotBefore: now.toISOString() });
  });
});
