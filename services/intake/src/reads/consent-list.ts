import { Controller } from '@nestjs/common';
import { ConsentPurpose, DataCategory, Id, Instant, Refusal } from '@amana/contracts';
import { Clock, type Row } from '@amana/persistence';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import type { GivenConsent } from '../domain/case-events.ts';
import { Receipts } from '../receipts.ts';

const ConsentList = z.object({
  items: z.array(z.object({
    consentRef: Id, organisationId: Id, serviceId: Id.optional(), categories: z.array(DataCategory), purpose: ConsentPurpose, givenAt: Instant, until: Instant, version: z.int(),
    status: z.enum(['given', 'withdrawn', 'expired']), withdrawnAt: Instant.optional(), disposeNotBefore: Instant.optional(), receipt: z.string().optional().describe('Of a consent that stands'),
    holder: z.object({
      holds: z.boolean().describe('It has read something'), acknowledgedAt: Instant.optional(), disposition: z.string().optional(), attestedAt: Instant.optional(),
      missing: z.array(z.enum(['acknowledgement', 'attestation'])).describe('What it still owes after the end of her consent'),
    }),
  })),
}).meta({ id: 'ConsentList' });

/** What she agreed to, who has read something on it, and after a withdrawal who has not yet answered. */
@Controller()
export class ConsentListRead {
  readonly #looks: Looks;
  readonly #cases: Cases;
  readonly #receipts: Receipts;
  readonly #clock: Clock;

  constructor(looks: Looks, cases: Cases, receipts: Receipts, clock: Clock) {
    this.#looks = looks;
    this.#cases = cases;
    this.#receipts = receipts;
    this.#clock = clock;
  }

  @Read('GET /v1/intake/:organisationId/cases/:caseId/consents', { summary: 'Her consents, who holds what, and who has not acknowledged a withdrawal', answer: ConsentList })
  @Allow('case.read')
  async list(@TheAct() act: Act) {
    const caseId = act.id('caseId');
    const { state, version } = await this.#cases.read(caseId);
    // The case alone is named: entries of its consents under one request would join them for whoever reads the ledger.
    const subject = { type: 'case', aggregateId: caseId, version };
    await this.#looks.require(act, this.#cases.aggregate.relations(state, act.organisationId, act.params), subject);
    if (state.status === 'none') throw new Refusal('not-found');
    const rows = await this.#looks.show(act, [{
      name: 'consent-list', values: [caseId],
      text: `SELECT c.*, d.first_at, h.acknowledged_at, h.disposition, h.attested_at FROM consent c
        LEFT JOIN disclosed d USING (consent_ref, organisation_id) LEFT JOIN consent_holder h USING (consent_ref, organisation_id)
        WHERE c.case_id = $1 ORDER BY c.place LIMIT 500`,
    }], ([found]) => ({ answer: found!, subjects: [subject] }));
    const now = this.#clock.business();
    return { items: await Promise.all(rows.map((row) => this.#view(row, state.organisationId, now))) };
  }

  async #view(row: Row, ownerOrg: string, now: Date) {
    const at = (column: string) => (row[column] as Date | null)?.toISOString();
    const consent: GivenConsent = {
      consentRef: row.consent_ref as string, organisationId: row.organisation_id as string, ...(row.service_id ? { serviceId: row.service_id as string } : {}),
      categories: row.categories as DataCategory[], purpose: row.purpose as ConsentPurpose, givenAt: at('given_at')!, until: at('until')!, language: row.language as string,
    };
    const status = row.withdrawn_at ? 'withdrawn' as const : (row.until as Date) <= now ? 'expired' as const : 'given' as const;
    const owes = status === 'withdrawn' && row.first_at !== null;
    const { language: _language, ...shown } = consent;
    return {
      ...shown, version: row.version as number, status, withdrawnAt: at('withdrawn_at'), disposeNotBefore: at('dispose_not_before'),
      ...(status === 'given' ? { receipt: await this.#receipts.of(ownerOrg, consent) } : {}),
      holder: {
        holds: row.first_at !== null, acknowledgedAt: at('acknowledged_at'), disposition: (row.disposition as string | null) ?? undefined, attestedAt: at('attested_at'),
        missing: [...(owes && !row.acknowledged_at ? ['acknowledgement' as const] : []), ...(owes && !row.attested_at ? ['attestation' as const] : [])],
      },
    };
  }
}
