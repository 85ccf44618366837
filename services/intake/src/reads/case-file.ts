import { Controller } from '@nestjs/common';
import { Id, Instant, Language, Refusal } from '@amana/contracts';
import { type Act, Allow, etagOf, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases, CaseStatus } from '../cases.ts';
import type { Case } from '../domain/case.ts';
import { Contact, Identity, NoteCategory, SafeContact, SafetyPlan, type SealedField } from '../domain/person.ts';
import { type FieldValues, SealedFields } from '../sealed-fields.ts';

const CaseFile = z.object({
  caseId: Id, organisationId: Id, status: CaseStatus, version: z.int(), confidentialityExplainedAt: Instant.optional(),
  person: z.object({
    identity: Identity.optional(), contact: Contact.optional(), dependantsCount: z.int().optional(),
    demographics: z.object({
      sex: z.string(), ageBand: z.string(), birthYear: z.int().optional(), nationality: z.string().optional(), languages: z.array(z.string()), interpreterLanguage: Language.optional(),
      region: z.string(), accessibility: z.array(z.string()),
    }).optional(),
  }),
  firstContact: z.object({ channel: z.string(), immediateDanger: z.boolean(), interpreterLanguage: z.string().optional() }).optional(),
  screening: z.object({ outcome: z.string(), indicatorCodes: z.array(z.string()), reportingConsent: z.boolean() }).optional(),
  needs: z.object({ needs: z.array(z.string()), urgency: z.string().optional() }).optional(),
  safeContact: SafeContact.optional(), safetyPlan: SafetyPlan.optional(),
  notes: z.array(z.object({ category: z.string(), text: z.string() })), conflicts: z.array(Id), pendingTransferId: Id.optional(),
}).meta({ id: 'CaseFile' });

/** One case with all that is known, for the workers of its owner. */
@Controller()
export class CaseFileRead {
  readonly #looks: Looks;
  readonly #cases: Cases;
  readonly #fields: SealedFields;

  constructor(looks: Looks, cases: Cases, fields: SealedFields) {
    this.#looks = looks;
    this.#cases = cases;
    this.#fields = fields;
  }

  @Read('GET /v1/intake/:organisationId/cases/:caseId', { summary: 'One case with her identity; the look is on record before it is answered', answer: CaseFile })
  @Allow('case.read')
  async one(@TheAct() act: Act) {
    const caseId = act.id('caseId');
    const { state, version } = await this.#cases.read(caseId);
    const subject = { type: 'case', aggregateId: caseId, version };
    await this.#looks.require(act, this.#cases.aggregate.relations(state, act.organisationId, act.params), subject);
    if (state.status === 'none') throw new Refusal('not-found');
    await this.#looks.show(act, [], () => ({ answer: undefined, subjects: [subject] }));
    // Only now, with the look committed. A stub opens nothing: she has another organisation now.
    const values = state.status === 'transferred-out' ? {} : await this.#fields.open(caseId, Object.keys(state.sealed) as SealedField[]);
    act.header('etag', etagOf(version));
    return { caseId, version, ...fileOf(state, values) };
  }
}

function fileOf(state: Exclude<Case, { status: 'none' }>, values: FieldValues) {
  const screening = values.screening as object | undefined;
  return {
    organisationId: state.organisationId, status: state.status, confidentialityExplainedAt: state.confidentialityExplainedAt,
    person: { identity: values.identity, contact: values.contact, demographics: values.demographics, dependantsCount: (values['family-children'] as { dependantsCount: number } | undefined)?.dependantsCount },
    firstContact: values['first-contact'], screening: screening && { ...screening, reportingConsent: state.screening?.reportingConsent ?? false }, needs: values.needs,
    safeContact: values['safe-contact'], safetyPlan: values['safety-plan'],
    notes: NoteCategory.options.filter((category) => values[category]).map((category) => ({ category, text: (values[category] as { text: string }).text })),
    conflicts: [...state.conflicts], pendingTransferId: state.pendingTransfer,
  };
}
