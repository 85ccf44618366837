import { Controller } from '@nestjs/common';
import { Indicator, Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { CaseAnswer, Cases } from '../cases.ts';
import { receiveFile } from '../domain/case.ts';
import { background, fieldsOf, Narrative, NoteCategory, PersonFromFile } from '../domain/person.ts';
import { SealedFields } from '../sealed-fields.ts';

export const TransferredFile = z.strictObject({
  person: PersonFromFile, ...background, interpreterLanguage: z.string().regex(/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/).optional(),
  notes: z.array(z.strictObject({ category: NoteCategory, text: Narrative })).max(10).default([]),
  alreadyCounted: z.array(Indicator).max(3).default([]).describe('As the file says: she is counted once, whoever has her case'),
}).meta({ id: 'TransferredFile' });
export type TransferredFile = z.infer<typeof TransferredFile>;

/** The new owner's worker brings what she agreed to hand over into the case that waits for it. */
@Controller()
export class TakeOverFile {
  readonly #cases: Cases;
  readonly #fields: SealedFields;

  constructor(cases: Cases, fields: SealedFields) {
    this.#cases = cases;
    this.#fields = fields;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/file', {
    summary: 'Bring the file that you read at the old owner into the transferred case', body: TransferredFile, answer: CaseAnswer,
    refusals: ['minor-not-supported', 'age-unknown-not-supported', 'capacity-not-supported', 'case-closed', 'illegal-transition'],
  })
  @Allow('case.update')
  takeOver(@TheAct() act: Act<TransferredFile>): Promise<CaseAnswer> {
    return this.#cases.commit(act, act.id('caseId'), async (state, body, { now, tx, id }) => {
      const received = receiveFile(state, body, now);
      if (received instanceof Refusal) return received;
      const notes = Object.fromEntries(body.notes.map(({ category, text }) => [category, { text }]));
      return [...received, ...await this.#fields.keep(tx, id, { state, values: { ...fieldsOf(body.person, body, body.interpreterLanguage), ...notes } })];
    });
  }
}
