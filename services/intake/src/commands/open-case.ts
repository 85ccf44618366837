import { Controller } from '@nestjs/common';
import { Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { CaseAnswer, Cases } from '../cases.ts';
import { openCase } from '../domain/case.ts';
import { background, fieldsOf, FirstContact, Narrative, Person } from '../domain/person.ts';
import { SealedFields } from '../sealed-fields.ts';

export const CaseOpening = z.strictObject({
  firstContact: FirstContact, person: Person.optional().describe('Left out only where she declines services'), ...background,
  narrative: Narrative.optional().describe('Her own account, if she wants to give one; taken only after the limits of confidentiality were explained'),
}).superRefine((opening, context) => {
  if (!opening.person && !opening.firstContact.declinesServices) context.addIssue({ code: 'custom', path: ['person'], message: 'required', params: { code: 'required' } });
}).meta({ id: 'CaseOpening' });
export type CaseOpening = z.infer<typeof CaseOpening>;

/** The first contact: a case with a sealed identity, or a normal end when she wants none. */
@Controller()
export class OpenCase {
  readonly #cases: Cases;
  readonly #fields: SealedFields;

  constructor(cases: Cases, fields: SealedFields) {
    this.#cases = cases;
    this.#fields = fields;
  }

  @Command('POST /v1/intake/:organisationId/cases', {
    summary: 'Record a first contact and open a case', creates: true, body: CaseOpening, answer: CaseAnswer,
    refusals: ['not-safe-to-talk', 'minor-not-supported', 'age-unknown-not-supported', 'capacity-not-supported', 'confidentiality-not-explained', 'occurred-in-future'],
  })
  @Allow('case.open')
  open(@TheAct() act: Act<CaseOpening>): Promise<CaseAnswer> {
    return this.#cases.create(act, async (state, body, { now, tx, id }) => {
      const { firstContact: contact, person, narrative } = body;
      const opened = openCase(state, { organisationId: act.organisationId, contact, person, hasNarrative: narrative !== undefined }, now);
      if (opened instanceof Refusal || contact.declinesServices || !person) return opened;
      const { channel, immediateDanger, interpreterLanguage } = contact;
      const sealed = await this.#fields.keep(tx, id, {
        state,
        values: {
          ...fieldsOf(person, body, interpreterLanguage), 'first-contact': { channel, immediateDanger, ...(interpreterLanguage ? { interpreterLanguage } : {}) },
          ...(narrative === undefined ? {} : { 'protection-narrative': { text: narrative } }),
        },
      });
      return [...opened, ...sealed];
    });
  }
}
