import { Controller } from '@nestjs/common';
import { Refusal } from '@amana/contracts';
import { type Act, Allow, Command, type DecisionContext, TheAct } from '@amana/service';
import { z } from 'zod';
import { Cases } from '../cases.ts';
import { acceptTransfer, declineTransfer, settleTransfer, type Transfer, type TransferEvent } from '../domain/transfer.ts';
import { TransferAnswer, transferFacts, Transfers } from '../transfers.ts';

const Empty = z.strictObject({});

/** The receiving organisation's answer, given at the old owner's path: owner and stub change in one transaction. */
@Controller()
export class AnswerTransfer {
  readonly #transfers: Transfers;
  readonly #cases: Cases;

  constructor(transfers: Transfers, cases: Cases) {
    this.#transfers = transfers;
    this.#cases = cases;
  }

  @Command('POST /v1/intake/:organisationId/transfers/:transferId/acceptance', {
    summary: 'Take the case over; from this moment you alone own it', body: Empty, answer: TransferAnswer, refusals: ['illegal-transition', 'open-referrals', 'consent-missing', 'consent-withdrawn'],
  })
  @Allow('transfer.answer')
  accept(@TheAct() act: Act): Promise<TransferAnswer> {
    return this.#transfers.commit(act, act.id('transferId'), async (state, _body, context) => {
      if (state.status === 'none') return new Refusal('not-found');
      const facts = await transferFacts(context.tx, { caseId: state.caseId, consentRef: state.consentRef, now: context.now });
      return await this.#settle(state, 'accepted', { decided: acceptTransfer(state, context.id, facts, context.now), context });
    });
  }

  @Command('POST /v1/intake/:organisationId/transfers/:transferId/decline', { summary: 'Leave the case with its owner', body: Empty, answer: TransferAnswer, refusals: ['illegal-transition'] })
  @Allow('transfer.answer')
  decline(@TheAct() act: Act): Promise<TransferAnswer> {
    return this.#transfers.commit(act, act.id('transferId'), (state, _body, context) => (
      this.#settle(state, 'declined', { decided: declineTransfer(state, context.id, context.now), context })
    ));
  }

  async #settle(state: Transfer, outcome: 'accepted' | 'declined', { decided, context }: { decided: readonly TransferEvent[] | Refusal; context: DecisionContext }): Promise<readonly TransferEvent[] | Refusal> {
    if (decided instanceof Refusal || !state.caseId) return decided;
    return await this.#cases.apply(context.tx, state.caseId, { action: `transfer.${outcome}` }, (current) => settleTransfer(current, context.id, outcome)) ?? decided;
  }
}
