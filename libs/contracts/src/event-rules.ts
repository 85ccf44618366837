import { DataCategory, ServiceName } from './codes.ts';
import { producerOf } from './event.ts';
import type { PublishedLock } from './compatibility.ts';

/** Words that may stand in no field of a published event: each of them is about a person, or says where she is. */
const forbiddenWords: ReadonlySet<string> = new Set([
  'name', 'names', 'surname', 'firstname', 'lastname', 'nickname', 'alias', 'initials', 'phone', 'telephone', 'mobile', 'email', 'mail', 'whatsapp',
  'address', 'street', 'city', 'place', 'location', 'site', 'room', 'bed', 'latitude', 'longitude', 'coordinates', 'region', 'regions', 'province',
  'birth', 'born', 'age', 'sex', 'sexes', 'gender', 'nationality', 'nationalities', 'citizenship', 'ethnicity', 'religion', 'language', 'languages',
  'passport', 'document', 'documents', 'identity', 'person', 'survivor', 'victim', 'case', 'child', 'children', 'family', 'relation', 'perpetrator', 'trafficker',
  'diagnosis', 'diagnoses', 'symptom', 'treatment', 'medication', 'pregnancy', 'hiv', 'disability', 'health', 'need', 'needs', 'risk', 'screening', 'exploitation',
  'category', 'categories', 'narrative', 'story', 'note', 'notes', 'text', 'comment', 'remark', 'description', 'message',
]);

/** Fields that carry a forbidden word and no person: what a service offers, and counts that nothing joins to anybody. */
const allowedFields: ReadonlySet<string> = new Set([
  'referral.organisation-listed.v1 /name', 'referral.service-listed.v1 /name',
  'referral.service-listed.v1 /minimumAge', 'referral.service-listed.v1 /maximumAge', 'referral.service-listed.v1 /sexes',
  'referral.service-listed.v1 /languages', 'referral.service-listed.v1 /regions',
  'intake.counted.v1 /dimensions/sex', 'intake.counted.v1 /dimensions/ageBand', 'intake.counted.v1 /dimensions/region',
]);

/** Text that no format, pattern or list of codes holds to a shape. Each entry is somebody's decision. */
const allowedText: ReadonlySet<string> = new Set([
  'referral.organisation-listed.v1 /name', 'referral.organisation-listed.v1 /protocolVersion', 'referral.service-listed.v1 /name',
  'intake.receipt-key-published.v1 /kid', 'intake.receipt-key-published.v1 /key/x',
  'intake.counted.v1 /dimensions/sex', 'intake.counted.v1 /dimensions/ageBand', 'intake.counted.v1 /dimensions/region',
]);

/** The one place in which consent categories are published: what an organisation may receive at most. */
const allowedCategories: ReadonlySet<string> = new Set(['referral.organisation-listed.v1 /ceiling/*']);

/** Names that are no past tense: an entry stands for an act that has its own name, and a deadline has not passed yet. */
const allowedNames = /^(?:[a-z]+\.audit-entry|referral\.deadline-approaching)\.v1$/;
const pastTense = /(?:ed|held|lost|sent|left|met|made|given|told|found|begun|withdrawn)$/;

/** What is wrong with the names of these events: `<service>.<past-tense>.v<N>`, on a topic of the same service. */
export function nameOffences(promises: PublishedLock): string[] {
  return Object.entries(promises).flatMap(([type, { topic }]) => {
    const [, service, action] = /^([a-z]+)\.([a-z]+(?:-[a-z]+)*)\.v[1-9]\d*$/.exec(type) ?? [];
    if (!service || !action) return [`${type} is not called <service>.<past-tense>.v<N>`];
    const offences: string[] = [];
    if (!ServiceName.safeParse(service).success) offences.push(`${type} belongs to no service`);
    if (!pastTense.test(action) && !allowedNames.test(type)) offences.push(`${type} does not say what has happened`);
    if (producerOf(topic) !== service || !/^[a-z]+\.[a-z]+(?:-[a-z]+)*\.v[1-9]\d*$/.test(topic)) offences.push(`${type} stands on the topic ${topic} of another service`);
    return offences;
  });
}

/** Every field of a published event that could tell something about a person. */
export function privacyOffences(promises: PublishedLock): string[] {
  return Object.entries(promises).flatMap(([type, { fields }]) => Object.entries(fields).flatMap(([pointer, field]) => {
    const place = `${type} ${pointer}`;
    const offences: string[] = [];
    const word = wordsOf(pointer.slice(pointer.lastIndexOf('/') + 1)).find((candidate) => forbiddenWords.has(candidate));
    if (word !== undefined && !allowedFields.has(place)) offences.push(`${place}: no field is called "${word}"`);
    const shaped = field.kind !== 'string' || field.codes !== undefined || field.pattern !== undefined;
    if (!shaped && !allowedText.has(place) && !allowedText.has(place.replace(/\/\*$/, ''))) offences.push(`${place}: free text`);
    if (field.codes && DataCategory.options.every((category) => field.codes!.includes(category)) && !allowedCategories.has(place)) offences.push(`${place}: consent categories`);
    return offences;
  }));
}

function wordsOf(name: string): string[] {
  return name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase().split(/[^a-z]+/).filter((word) => word !== '');
}
