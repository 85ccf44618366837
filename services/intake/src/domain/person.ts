import { AgeBand, DataCategory, Instant, Language, Refusal, refuseField, Region, Sex, Urgency } from '@amana/contracts';
import { z } from 'zod';

const text = (max: number) => z.string().min(1).max(max);

export const Identity = z.strictObject({ givenName: text(200).optional(), familyName: text(200).optional(), knownAs: text(200).optional() }).meta({ id: 'Identity' });
export const Contact = z.strictObject({ phone: text(40).optional(), email: z.email().max(200).optional(), address: text(500).optional(), note: text(1000).optional() }).meta({ id: 'Contact' });
export const Capacity = z.enum(['yes', 'no', 'unsure']);
export type Capacity = z.infer<typeof Capacity>;

const described = {
  identity: Identity.default({}), contact: Contact.default({}), sex: Sex, ageBand: z.enum([...AgeBand.options, 'unknown']), birthYear: z.int().min(1900).max(2100).optional(),
  nationality: z.string().regex(/^[A-Z]{3}$/).optional().describe('ISO 3166-1 alpha-3'), languages: z.array(Language).max(10).default([]),
};

/** Whom a case is about, as she says it herself. Every part of it is sealed. */
export const Person = z.strictObject({ ...described, capacityToConsent: Capacity }).meta({ id: 'Person' });
/** The same, brought in from a file: whether she can consent is asked in the first contact. */
export const PersonFromFile = z.strictObject({ ...described, capacityToConsent: Capacity.optional() }).meta({ id: 'PersonFromFile' });
export type Person = z.infer<typeof PersonFromFile>;

/** What stands beside the person in every way of opening a case. */
export const background = {
  region: Region.describe('ISO 3166-2 region or province'),
  dependantsCount: z.int().min(0).max(20).default(0),
  accessibility: z.array(z.string().regex(/^[a-z][a-z0-9-]{1,40}$/)).max(10).default([]).describe('Codes such as step-free or sign-language'),
};
export interface Background { readonly region: string; readonly dependantsCount: number; readonly accessibility: readonly string[] }

export const Narrative = text(8000);

export const FirstContact = z.strictObject({
  at: Instant.describe('When the conversation took place'),
  channel: z.enum(['walk_in', 'phone', 'referral', 'outreach']),
  aloneAndSafeToTalk: z.boolean(),
  immediateDanger: z.boolean(),
  confidentialityLimitsExplainedAt: Instant.optional().describe('When she was told what cannot be kept secret; a narrative is taken only if this is no later than `at`'),
  interpreterLanguage: Language.optional(),
  declinesServices: z.boolean().describe('A normal end: nothing about her is kept'),
}).meta({ id: 'FirstContact' });
export type FirstContact = z.infer<typeof FirstContact>;

/** Categories that hold a worker's note; the others hold fields. What a perpetrator did and where a shelter is are never written here. */
export const NoteCategory = DataCategory.exclude(['identity', 'contact', 'demographics', 'family-children', 'location-shelter', 'perpetrator']);
export type NoteCategory = z.infer<typeof NoteCategory>;

/** Each sealed field of a case: a category that she may consent to, or something that stays with the owner of the case. */
export const SealedField = z.enum([...DataCategory.options, 'first-contact', 'screening', 'needs', 'safe-contact', 'safety-plan']);
export type SealedField = z.infer<typeof SealedField>;

export interface Demographics {
  readonly sex: Sex; readonly ageBand: AgeBand; readonly birthYear?: number | undefined; readonly nationality?: string | undefined; readonly languages: readonly string[];
  readonly interpreterLanguage?: string | undefined; readonly region: string; readonly accessibility: readonly string[];
}

/** What is to be sealed about a person, by field: one category of a consent opens one of them. */
export function fieldsOf(person: Person, around: Background, interpreterLanguage?: string): Partial<Record<SealedField, unknown>> {
  const { identity, contact, sex, birthYear, nationality, languages } = person;
  const demographics: Demographics = {
    sex, ageBand: person.ageBand as AgeBand, ...(birthYear === undefined ? {} : { birthYear }), ...(nationality ? { nationality } : {}), languages,
    ...(interpreterLanguage ? { interpreterLanguage } : {}), region: around.region, accessibility: around.accessibility,
  };
  return { identity, contact, demographics, 'family-children': { dependantsCount: around.dependantsCount } };
}

/** Who cannot be helped here yet: under 18, of unknown age, or not able to consent. The rules for them do not exist. */
export function refusePerson(person: Person, now: Date): Refusal | undefined {
  const { ageBand, birthYear, capacityToConsent } = person;
  if (ageBand === 'unknown') return refuseField('age-unknown-not-supported', '/person/ageBand');
  if (ageBand === '0-14' || ageBand === '15-17') return refuseField('minor-not-supported', '/person/ageBand');
  // A band that says adult does not outweigh a year of birth that cannot be.
  if (birthYear !== undefined && now.getUTCFullYear() - birthYear < 18) return refuseField('minor-not-supported', '/person/birthYear');
  return refuseCapacity(capacityToConsent ?? 'yes', '/person/capacityToConsent');
}

export function refuseCapacity(capacity: Capacity, pointer: string): Refusal | undefined {
  return capacity === 'yes' ? undefined : refuseField('capacity-not-supported', pointer);
}

/** A conversation that may not be held now, or that lies in the future. One minute of clock difference is let pass. */
export function refuseContact(contact: FirstContact, now: Date): Refusal | undefined {
  const latest = now.getTime() + 60_000;
  if (!contact.aloneAndSafeToTalk) return refuseField('not-safe-to-talk', '/firstContact/aloneAndSafeToTalk');
  if (Date.parse(contact.at) > latest) return refuseField('occurred-in-future', '/firstContact/at');
  const explainedAt = contact.confidentialityLimitsExplainedAt;
  return explainedAt !== undefined && Date.parse(explainedAt) > latest ? refuseField('occurred-in-future', '/firstContact/confidentialityLimitsExplainedAt') : undefined;
}

/** Nothing that she tells is noted before she knows what cannot be kept secret. */
export function refuseNarrative(contact: FirstContact): Refusal | undefined {
  const explainedAt = contact.confidentialityLimitsExplainedAt;
  const told = explainedAt !== undefined && Date.parse(explainedAt) <= Date.parse(contact.at);
  return told ? undefined : refuseField('confidentiality-not-explained', '/firstContact/confidentialityLimitsExplainedAt');
}

export const SafeContact = z.strictObject({
  channel: z.enum(['none', 'phone', 'sms', 'in_person']), when: text(200).optional(), whoMayAnswer: text(200).optional(), voicemail: z.boolean(), phoneShared: z.boolean(), codeName: text(100).optional(),
  reviewOn: z.iso.date().describe('What is safe changes: at most 30 days ahead'),
}).meta({ id: 'SafeContact' });
export type SafeContact = z.infer<typeof SafeContact>;

export const SafetyPlan = z.strictObject({
  steps: z.array(text(500)).min(1).max(20), safePeople: z.array(text(200)).max(20).default([]), codeWord: text(100).optional(), reviewOn: z.iso.date().optional(),
}).meta({ id: 'SafetyPlan' });

export const Needs = z.strictObject({
  needs: z.array(z.enum(['shelter', 'health', 'psychosocial', 'legal', 'vocational', 'child-protection', 'return', 'coordination'])).min(1).max(10).describe('In her order'), urgency: Urgency.optional(),
}).meta({ id: 'Needs' });

export const ScreeningBody = z.strictObject({
  outcome: z.enum(['presumed', 'not_presumed', 'declined_assessment', 'identified_by_authority']).describe('Only an authority identifies: that outcome is refused here'),
  indicatorCodes: z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,59}$/)).max(60).default([]).describe('CTDC codes, such as FalsePromises or DomesticWork'),
  reportingConsent: z.boolean().describe('Whether she agrees to be counted, without a name'),
}).meta({ id: 'Screening' });
export type ScreeningBody = z.infer<typeof ScreeningBody>;
