import { Controller } from '@nestjs/common';
import { Id, Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { CaseAnswer, Cases } from '../cases.ts';
import { agreeSafeContact, type Case, type CaseDecision, flagConflict, refuseNote, refuseUnlessActive, screen } from '../domain/case.ts';
import { Narrative, Needs, NoteCategory, SafeContact, SafetyPlan, ScreeningBody } from '../domain/person.ts';
import { type FieldValues, SealedFields } from '../sealed-fields.ts';

const ConflictFlag = z.strictObject({ organisationId: Id }).meta({ id: 'ConflictFlag' });
const Note = z.strictObject({ category: NoteCategory, text: Narrative }).meta({ id: 'CaseNote' });

const refusals = ['case-closed', 'illegal-transition'] as const;

/** What a worker learns from her: all of it sealed, of all of it no more than field and version in the log. */
@Controller()
export class AssessCase {
  readonly #cases: Cases;
  readonly #fields: SealedFields;

  constructor(cases: Cases, fields: SealedFields) {
    this.#cases = cases;
    this.#fields = fields;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/screening', { summary: 'Record the outcome of a screening, and whether she agrees to be counted', body: ScreeningBody, answer: CaseAnswer, refusals: [...refusals, 'screening-not-allowed'] })
  @Allow('case.update')
  screen(@TheAct() act: Act<ScreeningBody>): Promise<CaseAnswer> {
    return this.#record(act, (state, body, now) => screen(state, body, now), ({ outcome, indicatorCodes }) => ({ screening: { outcome, indicatorCodes } }));
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/needs', { summary: 'Record what she needs, in her order', body: Needs, answer: CaseAnswer, refusals })
  @Allow('case.update')
  need(@TheAct() act: Act<z.infer<typeof Needs>>): Promise<CaseAnswer> {
    return this.#record(act, (state) => refuseUnlessActive(state) ?? [], (needs) => ({ needs }));
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/safe-contact', { summary: 'Record how she can be reached without harm', body: SafeContact, answer: CaseAnswer, refusals })
  @Allow('case.update')
  reach(@TheAct() act: Act<SafeContact>): Promise<CaseAnswer> {
    return this.#record(act, (state, body, now) => agreeSafeContact(state, body, now), (body) => ({ 'safe-contact': body }));
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/safety-plan', { summary: 'Record the safety plan made with her; it is never shared', body: SafetyPlan, answer: CaseAnswer, refusals })
  @Allow('case.update')
  plan(@TheAct() act: Act<z.infer<typeof SafetyPlan>>): Promise<CaseAnswer> {
    return this.#record(act, (state) => refuseUnlessActive(state) ?? [], (plan) => ({ 'safety-plan': plan }));
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/notes', {
    summary: 'Record what is to be known under one category; only a consent to that category shares it', body: Note, answer: CaseAnswer, refusals: [...refusals, 'confidentiality-not-explained'],
  })
  @Allow('case.update')
  note(@TheAct() act: Act<z.infer<typeof Note>>): Promise<CaseAnswer> {
    return this.#record(act, (state) => refuseNote(state) ?? [], ({ category, text }) => ({ [category]: { text } }));
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/conflicts', { summary: 'Mark an organisation that must never be asked; no reason is taken', body: ConflictFlag, answer: CaseAnswer, refusals })
  @Allow('case.update')
  conflict(@TheAct() act: Act<z.infer<typeof ConflictFlag>>): Promise<CaseAnswer> {
    return this.#record(act, (state, { organisationId }) => flagConflict(state, organisationId), () => ({}));
  }

  #record<Body>(act: Act<Body>, decide: (state: Case, body: Body, now: Date) => CaseDecision, valuesOf: (body: Body) => FieldValues): Promise<CaseAnswer> {
    return this.#cases.commit(act, act.id('caseId'), async (state, body, { now, tx, id }) => {
      const decision = decide(state, body, now);
      if (decision instanceof Refusal) return decision;
      return [...decision, ...await this.#fields.keep(tx, id, { state, values: valuesOf(body) })];
    });
  }
}
