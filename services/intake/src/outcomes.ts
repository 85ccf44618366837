import { Injectable } from '@nestjs/common';
import type { Indicator } from '@amana/contracts';
import type { Transaction } from '@amana/persistence';
import { Cases } from './cases.ts';
import { noteOutcome } from './domain/counting.ts';
import { caseBehind, lockReferral } from './referral-links.ts';

export interface Outcome {
  readonly referralId: string;
  /** Who says so: only the referral's receiver is believed. */
  readonly organisationId: string;
  readonly indicator: Indicator;
}

/** Joins what came back from a shelter or a clinic with the case behind the referral: only intake knows which that is. */
@Injectable()
export class Outcomes {
  readonly #cases: Cases;

  constructor(cases: Cases) {
    this.#cases = cases;
  }

  /** Notes an outcome on its case. Heard of before its referral, it is kept until that arrives. */
  async note(tx: Transaction, outcome: Outcome): Promise<void> {
    await tx.query(lockReferral(outcome.referralId));
    if (await this.#noteOn(tx, outcome)) return;
    tx.write({
      name: 'early-outcome-keep', values: [outcome.referralId, outcome.indicator, outcome.organisationId],
      text: `INSERT INTO early_outcome (referral_id, indicator, organisation_id)
        SELECT $1::uuid, $2::text, $3::uuid WHERE NOT EXISTS (SELECT 1 FROM referral_link WHERE referral_id = $1::uuid) ON CONFLICT DO NOTHING`,
    });
  }

  /** Once a referral is known: what was heard of it before. */
  async catchUp(tx: Transaction, referralId: string): Promise<void> {
    await tx.query(lockReferral(referralId));
    const early = await tx.query<{ indicator: Indicator; organisation_id: string }>({
      name: 'early-outcome-take', values: [referralId], text: 'DELETE FROM early_outcome WHERE referral_id = $1 RETURNING indicator, organisation_id',
    });
    for (const row of early) await this.#noteOn(tx, { referralId, organisationId: row.organisation_id, indicator: row.indicator });
  }

  async #noteOn(tx: Transaction, { referralId, organisationId, indicator }: Outcome): Promise<boolean> {
    const behind = await caseBehind(tx, { referralId, toOrg: organisationId });
    if (!behind) return false;
    // Without the event's correlation: it would join the case's tag with the referral for whoever reads the ledger.
    await this.#cases.apply(tx, behind.caseId, { action: 'figures.note' }, (state, { now }) => (state.status === 'none' ? [] : noteOutcome(state, indicator, now)));
    return true;
  }
}
