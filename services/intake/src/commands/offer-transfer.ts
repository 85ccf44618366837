import { Controller } from '@nestjs/common';
import { Id, Refusal } from '@amana/contracts';
import { type Act, Allow, Command, TheAct } from '@amana/service';
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

  constructor(transfers: Transfers, cases: Cases) {
    this.#transfers = transfers;
    this.#cases = cases;
  }

  @Command('POST /v1/intake/:organisationId/cases/:caseId/transfers', {
    summary: 'Offer the case to the organisation she agreed to; the offer stands for 7 days', creates: true, body: TransferOffer, answer: TransferAnswer,
    refusals: ['open-referrals', 'consent-missing', 'consent-withdrawn', 'consent-not-recorded', 'case-closed', 'illegal-transition'],
  })
  @Allow('transfer.offer')
  offer(@TheAct() act: Act<TransferOffer>): Promise<TransferAnswer> {
    return this.#transfers.create(act, async (state, { toOrg, consentRef }, { now, tx, id }) => {
      const caseId = act.id('caseId');
      const known = await this.#cases.load(tx, caseId);
      if (known.state.status === 'none' || known.state.organisationId !== act.organisationId) return new Refusal('not-found');
      const facts = await transferFacts(tx, { caseId, consentRef, now });
      const started = startTransfer(known.state, id);
      const offered = started instanceof Refusal ? started : offer(state, { transferId: id, caseId, fromOrg: act.organisationId, toOrg, consentRef }, facts, now);
      if (offered instanceof Refusal || started instanceof Refusal) return offered;
      // Without the caller's request id: the ledger must not join a transfer that two organisations know with the case's tag.
      return await this.#cases.apply(tx, caseId, { action: 'transfer.offer' }, (current) => startTransfer(current, id)) ?? offered;
    });
  }
}
