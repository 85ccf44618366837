import { Controller } from '@nestjs/common';
import { Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { CaseAnswer, Cases } from '../cases.ts';
import { recordFirstContact } from '../domain/case.ts';
import { Capacity, type Demographics, FirstContact } from '../domain/person.ts';
import { SealedFields } from '../sealed-fields.ts';

export const FirstContactRecord = z.strictObject({ firstContact: FirstContact, capacityToConsent: Capacity }).meta({ id: 'FirstContactRecord' });
export type FirstContactRecord = z.infer<typeof FirstContactRecord>;

/** Somebody speaks with her: an imported draft becomes a case, a transferred one is met by its new owner. */
@Controller()
export class RecordFirstContact {
  readonly #cases: Cases;
  readonly #fields: SealedFields;

  constructor(cases: Cases, fields: SealedFields) {
    this.#cases = cases;
    this.#fields = fields;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/first-contact', {
    summary: 'Record a conversation in which she was asked how safe she is and what she wants', body: FirstContactRecord, answer: CaseAnswer,
    refusals: ['not-safe-to-talk', 'capacity-not-supported', 'occurred-in-future', 'case-closed', 'illegal-transition'],
  })
  @Allow('case.update')
  record(@TheAct() act: Act<FirstContactRecord>): Promise<CaseAnswer> {
    return this.#cases.commit(act, act.id('caseId'), async (state, body, { now, tx, id }) => {
      const { firstContact: contact } = body;
      const recorded = recordFirstContact(state, contact, body.capacityToConsent, now);
      if (recorded instanceof Refusal || contact.declinesServices) return recorded;
      const { channel, immediateDanger, interpreterLanguage } = contact;
      const known = interpreterLanguage ? (await this.#fields.openIn(tx, id, ['demographics'])).demographics as Demographics | undefined : undefined;
      const sealed = await this.#fields.keep(tx, id, {
        state,
        values: {
          'first-contact': { channel, immediateDanger, ...(interpreterLanguage ? { interpreterLanguage } : {}) },
          // A receiver sees which interpreter she needs with her bands.
          ...(known ? { demographics: { ...known, interpreterLanguage } } : {}),
        },
      });
      return [...recorded, ...sealed];
    });
  }
}
