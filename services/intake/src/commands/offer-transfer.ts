import { Controller } from '@nestjs/common';
import { Id } from '@amana/contracts';
import { type Act, Allow, Command, Looks, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import { offer, startTransfer } from '../domain/transfer.ts';
import { TransferAnswer, transferFacts, Transfers } from '../transfers.ts';

const TransferOffer = z.strictObject({ toOrg: Id, consentRef: Id.describe('Her consent to this organisation, of purpose `transfer`') }).meta({ id: 'TransferOffer' });
type TransferOffer = z.infer<typeof TransferOffer>;

/** A case is offered to another organisation. Until that one accepts, nothing changes hands. */
@Controller()
export class OfferTransfer {
  readonly #transfers: Transfers;
  readonly #cases: Cases;
  readonly #looks: Looks;

  constructor(transfers: Transfers, cases: Cases, looks: Looks) {
    this.#transfers = transfers;
    this.#cases = cases;
    this.#looks = looks;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/transfers', {
    summary: 'Offer the case to the organisation she agreed to; the offer stands for 7 days', creates: true, body: TransferOffer, answer: TransferAnswer,
    refusals: ['open-referrals', 'consent-missing', 'consent-withdrawn', 'consent-not-recorded', 'case-closed', 'illegal-transition'],
  })
  @Allow('transfer.offer')
  async offer(@TheAct() act: Act<TransferOffer>): Promise<TransferAnswer> {
    const caseId = act.id('caseId');
    const { state: known } = await this.#cases.read(caseId);
    await this.#looks.require(act, this.#cases.aggregate.relations(known, act.organisationId, act.params), { type: 'case', aggregateId: caseId });
    return await this.#transfers.create(act, async (state, { toOrg, consentRef }, { now, tx, id }) => {
      const facts = await transferFacts(tx, { caseId, consentRef, now });
      const offered = offer(state, { transferId: id, caseId, fromOrg: act.organisationId, toOrg, consentRef }, facts, now);
      // Without the caller's request id: the ledger must not join a transfer that two organisations know with the case's tag.
      const refused = await this.#cases.apply(tx, caseId, { action: 'transfer.offer' }, (current) => startTransfer(current, id));
      return refused ?? offered;
    });
  }
}
