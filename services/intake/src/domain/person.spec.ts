import { describe, expect, it } from '@jest/globals';
import { fieldsOf, type FirstContact, type Person, refuseContact, refuseNarrative, refusePerson } from './person.ts';

const now = new Date('2023-01-10T10:00:00.000Z');
const person: Person = { identity: {}, contact: {}, sex: 'female', ageBand: '25-34', languages: ['fr'], capacityToConsent: 'yes' };
const contact: FirstContact = { at: '2023-01-10T09:30:00.000Z', channel: 'walk_in', aloneAndSafeToTalk: true, immediateDanger: false, declinesServices: false };
const around = { region: 'MA-09', dependantsCount: 1, accessibility: [] };

describe('a person', () => {
  it.each([
    ['a child', { ageBand: '15-17' as const }, 'minor-not-supported'],
    ['somebody whose age nobody knows', { ageBand: 'unknown' as const }, 'age-unknown-not-supported'],
    ['a child by her year of birth, whatever the band says', { birthYear: 2010 }, 'minor-not-supported'],
    ['somebody who cannot consent', { capacityToConsent: 'no' as const }, 'capacity-not-supported'],
    ['somebody of whom it is unsure whether she can consent', { capacityToConsent: 'unsure' as const }, 'capacity-not-supported'],
  ])('is refused with a code of its own: %s', (_who, changes, code) => {
    expect(refusePerson({ ...person, ...changes }, now)).toMatchObject({ code });
  });

  it('who is adult and can consent is taken', () => {
    expect(refusePerson(person, now)).toBeUndefined();
  });

  it('is kept by category, so that a consent to one opens one', () => {
    expect(Object.keys(fieldsOf(person, around, 'dyu'))).toEqual(['identity', 'contact', 'demographics', 'family-children']);
    expect(fieldsOf(person, around, 'dyu').demographics).toMatchObject({ interpreterLanguage: 'dyu', region: 'MA-09' });
  });
});

describe('a first contact', () => {
  it('is not held where she is not alone or not safe, and not in the future', () => {
    expect(refuseContact({ ...contact, aloneAndSafeToTalk: false }, now)).toMatchObject({ code: 'not-safe-to-talk' });
    expect(refuseContact({ ...contact, at: '2023-01-10T10:02:00.000Z' }, now)).toMatchObject({ code: 'occurred-in-future' });
    expect(refuseContact(contact, now)).toBeUndefined();
  });

  it('takes no account of hers before she was told what cannot be kept secret', () => {
    expect(refuseNarrative(contact)).toMatchObject({ code: 'confidentiality-not-explained' });
    expect(refuseNarrative({ ...contact, confidentialityLimitsExplainedAt: '2023-01-10T09:31:00.000Z' })).toMatchObject({ code: 'confidentiality-not-explained' });
    expect(refuseNarrative({ ...contact, confidentialityLimitsExplainedAt: '2023-01-10T09:29:00.000Z' })).toBeUndefined();
  });
});
