import { describe, expect, it } from '@jest/globals';
import { given } from '@amana/testing';
import { agreeSafeContact, caseDecider, closeCase, flagConflict, importCase, openCase, openTransferred, receiveFile, recordFirstContact, refuseNote, screen } from './case.ts';
import type { CaseEvent } from './case-events.ts';
import type { FirstContact, Person } from './person.ts';

const now = new Date('2023-03-01T10:00:00.000Z');
const organisationId = '4dad89d7-869e-466d-b732-3e60761de948';
const transferId = '0a5a7b1c-3c63-4d0f-9b53-0c5a4d3a7f10';
const contact = (changes: Partial<FirstContact> = {}): FirstContact => ({
  at: '2023-03-01T09:30:00.000Z', channel: 'walk_in', aloneAndSafeToTalk: true, immediateDanger: false, confidentialityLimitsExplainedAt: '2023-03-01T09:25:00.000Z', declinesServices: false, ...changes,
});
const person = (changes: Partial<Person> = {}): Person => ({ identity: {}, contact: {}, sex: 'female', ageBand: '18-24', languages: ['dyu'], capacityToConsent: 'yes', ...changes });
const opening = (changes: Partial<Parameters<typeof openCase>[1]> = {}) => ({ organisationId, contact: contact(), person: person(), hasNarrative: false, ...changes });
const opened: CaseEvent[] = [{ type: 'intake.case-opened.v1', data: { organisationId, at: now.toISOString(), channel: 'walk_in', confidentialityExplainedAt: now.toISOString() } }];
const imported: CaseEvent[] = [{ type: 'intake.case-imported.v1', data: { organisationId } }];
const closed: CaseEvent[] = [...opened, { type: 'intake.case-closed.v1', data: { reasonCode: 'moved' } }];

describe('opening a case', () => {
  it('is refused while she is not alone or not safe, whatever else stands in the form', () => {
    given(caseDecider).when((state) => openCase(state, opening({ contact: contact({ aloneAndSafeToTalk: false }), person: person({ ageBand: 'unknown' }) }), now)).refuses('not-safe-to-talk');
  });

  it.each([
    [{ ageBand: '15-17' }, 'minor-not-supported'], [{ ageBand: '0-14' }, 'minor-not-supported'], [{ birthYear: 2006 }, 'minor-not-supported'], [{ ageBand: 'unknown' }, 'age-unknown-not-supported'],
    [{ capacityToConsent: 'no' }, 'capacity-not-supported'], [{ capacityToConsent: 'unsure' }, 'capacity-not-supported'],
  ] as const)('is refused for whom the rules do not exist yet: %j', (changes, code) => {
    given(caseDecider).when((state) => openCase(state, opening({ person: person(changes) }), now)).refuses(code);
  });

  it('takes no narrative before she was told what cannot be kept secret', () => {
    for (const confidentialityLimitsExplainedAt of [undefined, '2023-03-01T09:31:00.000Z']) {
      given(caseDecider).when((state) => openCase(state, opening({ contact: contact({ confidentialityLimitsExplainedAt }), hasNarrative: true }), now)).refuses('confidentiality-not-explained');
    }
    given(caseDecider).when((state) => openCase(state, opening({ hasNarrative: true }), now)).yields('intake.case-opened.v1');
  });

  it('refuses what lies in the future', () => {
    given(caseDecider).when((state) => openCase(state, opening({ contact: contact({ at: '2023-03-01T11:00:00.000Z' }) }), now)).refuses('occurred-in-future');
  });

  it('ends normally when she declines services, without any need to say who she is', () => {
    given(caseDecider).when((state) => openCase(state, opening({ contact: contact({ declinesServices: true }), person: undefined }), now)).yields('intake.case-opened.v1', 'intake.services-declined.v1');
  });
});

describe('a case', () => {
  it('takes nothing more once it is closed, declined or with another organisation', () => {
    const left: CaseEvent[] = [...opened, { type: 'intake.transfer-pending.v1', data: { transferId } }, { type: 'intake.transfer-settled.v1', data: { transferId, outcome: 'accepted' } }];
    const declined: CaseEvent[] = [...opened, { type: 'intake.services-declined.v1', data: { at: now.toISOString() } }];
    for (const past of [closed, left, declined]) {
      given(caseDecider, past).when((state) => flagConflict(state, organisationId)).refuses('case-closed');
      given(caseDecider, past).when((state) => closeCase(state, 'moved', 0)).refuses('case-closed');
    }
  });

  it('is not closed while a referral is open or a transfer is offered', () => {
    given(caseDecider, opened).when((state) => closeCase(state, 'moved', 1)).refuses('open-referrals');
    given(caseDecider, [...opened, { type: 'intake.transfer-pending.v1', data: { transferId } }]).when((state) => closeCase(state, 'moved', 0)).refuses('illegal-transition');
  });

  it('is never identified by a worker: only an authority does that', () => {
    given(caseDecider, opened).when((state) => screen(state, { outcome: 'identified_by_authority', indicatorCodes: [], reportingConsent: true }, now)).refuses('screening-not-allowed');
  });

  it('has a safe contact that is asked again within 30 days', () => {
    const on = (reviewOn: string) => given(caseDecider, opened).when((state) => agreeSafeContact(state, { channel: 'phone', voicemail: false, phoneShared: false, reviewOn }, now));
    on('2023-04-01').refuses('validation-failed');
    on('2023-02-28').refuses('validation-failed');
    on('2023-03-31').yields('intake.safe-contact-agreed.v1');
  });

  it('takes notes only after the limits of confidentiality were explained', () => {
    const silent: CaseEvent[] = [{ type: 'intake.case-opened.v1', data: { organisationId, at: now.toISOString(), channel: 'phone' } }];
    expect(refuseNote(given(caseDecider, silent).state)?.code).toBe('confidentiality-not-explained');
    expect(refuseNote(given(caseDecider, opened).state)).toBeUndefined();
  });

  it('knows of each sealed field no more than its newest version', () => {
    const sealed: CaseEvent[] = [1, 2].map((version) => ({ type: 'intake.field-sealed.v1', data: { field: 'identity', version } }));
    expect(given(caseDecider, [...opened, ...sealed]).state).toMatchObject({ sealed: { identity: 2 } });
  });
});

describe('an imported draft', () => {
  it('is refused for a minor, and asks for nothing that a file cannot know', () => {
    given(caseDecider).when((state) => importCase(state, organisationId, person({ ageBand: '15-17' }), now)).refuses('minor-not-supported');
    given(caseDecider).when((state) => importCase(state, organisationId, person({ capacityToConsent: undefined }), now)).yields('intake.case-imported.v1');
  });

  it('becomes a case by a conversation in which she can consent, and ends there if she wants nothing', () => {
    given(caseDecider, imported).when((state) => screen(state, { outcome: 'presumed', indicatorCodes: [], reportingConsent: true }, now)).refuses('illegal-transition');
    given(caseDecider, imported).when((state) => recordFirstContact(state, contact(), 'unsure', now)).refuses('capacity-not-supported');
    given(caseDecider, imported).when((state) => recordFirstContact(state, contact({ declinesServices: true }), 'yes', now)).yields('intake.services-declined.v1');
    const [met] = given(caseDecider, imported).when((state) => recordFirstContact(state, contact(), 'yes', now)).yields('intake.first-contact-recorded.v1');
    expect(given(caseDecider, [...imported, met!]).state.status).toBe('active');
  });
});

describe('a transferred case', () => {
  it('waits empty for its file, takes it once, and is opened once', () => {
    const waiting = given(caseDecider).when((state) => openTransferred(state, { organisationId, transferId })).yields('intake.case-transferred-in.v1');
    given(caseDecider, waiting).when((state) => openTransferred(state, { organisationId, transferId })).yields();
    const file = { person: person({ capacityToConsent: undefined }), alreadyCounted: ['identified' as const] };
    given(caseDecider, waiting).when((state) => receiveFile(state, { ...file, person: person({ ageBand: '15-17' }) }, now)).refuses('minor-not-supported');
    const received = given(caseDecider, waiting).when((state) => receiveFile(state, file, now)).yields('intake.case-file-received.v1');
    given(caseDecider, [...waiting, ...received]).when((state) => receiveFile(state, file, now)).refuses('illegal-transition');
    given(caseDecider, opened).when((state) => receiveFile(state, file, now)).refuses('illegal-transition');
  });
});
