import { Controller } from '@nestjs/common';
import { Id, Indicator, Instant, Language, Refusal, Sex } from '@amana/contracts';
import { Clock } from '@amana/persistence';
import { type Act, Allow, Looks, Read, StreamEngine, type Subject, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import { type Asked, refuseDisclosure } from '../domain/disclosure.ts';
import { Contact, type Demographics, Identity, SafeContact, type SealedField } from '../domain/person.ts';
import { findGrants, type Found, toGrant } from '../grants.ts';
import { SealedFields } from '../sealed-fields.ts';

const Profile = z.object({
  sex: Sex, ageBand: z.string(), languages: z.array(Language), interpreterLanguage: Language.optional(), dependantsCount: z.int(), accessibility: z.array(z.string()), urgency: z.string(), serviceId: Id,
}).meta({ id: 'DisclosureProfile' });

const Note = z.object({ text: z.string() }).optional();
const DisclosedData = z.object({
  identity: Identity.optional(), contact: Contact.extend({ safeContact: SafeContact.optional() }).optional(),
  demographics: z.object({
    sex: Sex, ageBand: z.string(), birthYear: z.int().optional(), nationality: z.string().optional(), languages: z.array(Language), interpreterLanguage: Language.optional(), region: z.string(), accessibility: z.array(z.string()),
  }).optional(),
  'family-children': z.object({ dependantsCount: z.int() }).optional(), 'protection-narrative': Note, 'risk-safety': Note, 'health-general': Note, 'health-sexual-reproductive': Note, hiv: Note, mhpss: Note,
  legal: Note, 'immigration-status': Note, livelihood: Note, documents: Note,
});
const Disclosure = z.object({
  consent: z.object({ ref: Id, version: z.int(), purpose: z.string(), categories: z.array(z.string()), until: Instant }),
  data: DisclosedData.describe('By category: those she consented to, as far as anything is written under them'),
  alreadyCounted: z.array(Indicator).optional().describe('With the file of a transfer: what she has been counted in'),
}).meta({ id: 'Disclosure' });

/** What a named receiver may see, read through at the moment it asks: check, record, commit, and only then open. */
@Controller()
export class Disclosures {
  readonly #looks: Looks;
  readonly #engine: StreamEngine;
  readonly #clock: Clock;
  readonly #cases: Cases;
  readonly #fields: SealedFields;

  constructor(looks: Looks, engine: StreamEngine, clock: Clock, cases: Cases, fields: SealedFields) {
    this.#looks = looks;
    this.#engine = engine;
    this.#clock = clock;
    this.#cases = cases;
    this.#fields = fields;
  }

  @Read('GET /v1/intake/:organisationId/disclosures/:referralId/profile', { summary: 'Before you answer: her bands, and nothing that tells who she is', answer: Profile, refusals: ['consent-withdrawn', 'suppressed', 'gone'] })
  @Allow('disclosure.profile')
  async profile(@TheAct() act: Act) {
    const { caseId, grant, urgency } = await this.#permit(act, 'profile');
    const values = await this.#fields.open(caseId, ['demographics', 'family-children']);
    // Her key has been destroyed since: there is nothing left that could be shown.
    if (!values.demographics || !values['family-children']) throw new Refusal('gone');
    const { sex, ageBand, languages, interpreterLanguage, accessibility } = values.demographics as Demographics;
    const { dependantsCount } = values['family-children'] as { dependantsCount: number };
    return { sex, ageBand, languages, interpreterLanguage, dependantsCount, accessibility, urgency, serviceId: grant.serviceId };
  }

  @Read('GET /v1/intake/:organisationId/disclosures/:referralId', {
    summary: 'After you accepted a referral or a transfer: exactly what she consented to', answer: Disclosure, refusals: ['acceptance-not-yet-seen', 'consent-withdrawn', 'suppressed', 'gone'],
  })
  @Allow('disclosure.read')
  async read(@TheAct() act: Act) {
    const { caseId, grant } = await this.#permit(act, 'content');
    const { consentRef, version, purpose, categories, until } = grant.consent;
    // How she can be reached without harm goes with her contact details, or they would put her at risk.
    const fields: SealedField[] = categories.includes('contact') ? [...categories, 'safe-contact'] : [...categories];
    const { 'safe-contact': safeContact, ...values } = await this.#fields.open(caseId, fields);
    const data = { ...values, ...(values.contact ? { contact: { ...values.contact, ...(safeContact ? { safeContact } : {}) } } : {}) };
    const counted = grant.kind === 'transfer' ? (await this.#cases.read(caseId)).state : undefined;
    return {
      consent: { ref: consentRef, version, purpose, categories, until: until.toISOString() }, data,
      ...(counted && counted.status !== 'none' ? { alreadyCounted: counted.counted } : {}),
    };
  }

  /** Checks and records the look in one transaction under the consent's lock; a refusal is recorded after it. */
  async #permit(act: Act, asked: Asked): Promise<Found> {
    const id = act.id('referralId');
    const verdict = await this.#looks.show(act, findGrants(id), (rows, tx) => {
      const found = toGrant(rows);
      const refusal = refuseDisclosure(asked, found?.grant, { organisationId: act.organisationId, ownerOrg: act.params.organisationId ?? '' }, this.#clock.business());
      const subject = subjectOf(id, found, act.organisationId);
      if (refusal || !found) return { answer: { refusal, found, subject }, subjects: [] };
      tx.write({
        name: 'disclosed-keep', values: [found.grant.consent.consentRef, act.organisationId, this.#clock.business()],
        text: 'INSERT INTO disclosed (consent_ref, organisation_id, first_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      });
      return { answer: { refusal, found, subject }, subjects: [subject] };
    });
    if (!verdict.found || verdict.refusal) throw await this.#deny(act, verdict.subject, verdict.refusal!);
    return verdict.found;
  }

  async #deny(act: Act, subject: Subject, refusal: Refusal): Promise<Refusal> {
    // Too early is no denial: the receiver is told to ask again, and does.
    if (refusal.code !== 'acceptance-not-yet-seen') await this.#engine.recordDenial(act, subject);
    return refusal;
  }
}

/** The entry carries the referral's id, never the case's tag; a stranger's says nothing of any consent. */
function subjectOf(id: string, found: Found | undefined, organisationId: string): Subject {
  const named = found?.grant.toOrg === organisationId;
  return {
    type: 'disclosure', aggregateId: id, publicId: id, ...(found?.grant.kind === 'transfer' ? {} : { referralId: id }),
    ...(found && named ? { consent: { ref: found.grant.consent.consentRef, version: found.grant.consent.version }, recipientOrg: found.grant.toOrg } : {}),
  };
}
