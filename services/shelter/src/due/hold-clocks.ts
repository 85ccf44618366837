import { Injectable } from '@nestjs/common';
import type { DueRow, Transaction } from '@amana/persistence';
import type { DueSlice } from '@amana/service';
import { expire, releaseDue } from '../domain/hold.ts';
import { expiryKind, Holds, releaseKind } from '../holds.ts';

/** Nobody answered in time: the beds are free again. */
@Injectable()
export class ExpireHold implements DueSlice {
  readonly kind = expiryKind;
  readonly #holds: Holds;

  constructor(holds: Holds) {
    this.#holds = holds;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    await this.#holds.apply(tx, row.key, { action: 'hold.expire' }, (state, { now }) => expire(state, now));
  }
}

/** The day that a withdrawal leaves her is over. */
@Injectable()
export class ReleaseWithdrawnHold implements DueSlice {
  readonly kind = releaseKind;
  readonly #holds: Holds;

  constructor(holds: Holds) {
    this.#holds = holds;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    await this.#holds.apply(tx, row.key, { action: 'hold.release' }, (state, { now }) => releaseDue(state, now));
  }
}
