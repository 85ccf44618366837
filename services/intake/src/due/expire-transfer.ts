import { Injectable } from '@nestjs/common';
import type { DueRow, Transaction } from '@amana/persistence';
import type { DueSlice } from '@amana/service';
import { Cases } from '../cases.ts';
import { expireTransfer, settleTransfer } from '../domain/transfer.ts';
import { transferExpiry, Transfers } from '../transfers.ts';

/** An offer that nobody answered in 7 days ends; the case stays with its owner. */
@Injectable()
export class ExpireTransfer implements DueSlice {
  readonly kind = transferExpiry;
  readonly #transfers: Transfers;
  readonly #cases: Cases;

  constructor(transfers: Transfers, cases: Cases) {
    this.#transfers = transfers;
    this.#cases = cases;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    await this.#transfers.apply(tx, row.key, { action: 'transfer.expire' }, async (state, { now, id }) => {
      const expired = expireTransfer(state, id, now);
      if (expired.length === 0 || !state.caseId) return expired;
      return await this.#cases.apply(tx, state.caseId, { action: 'transfer.expire' }, (current) => settleTransfer(current, id, 'expired')) ?? expired;
    });
  }
}
