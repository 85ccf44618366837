import { Injectable } from '@nestjs/common';
import type { DueRow, Transaction } from '@amana/persistence';
import type { DueSlice } from '@amana/service';
import { Capacities, countFreeBeds } from '../capacities.ts';
import { tellCapacity } from '../domain/capacity.ts';
import { recountKind } from '../sites.ts';

/**
 * After a change of beds the organisation's free ones are counted and told as a band. A row of its own, not a part of the
 * hold's transaction: two takers of different beds would otherwise meet on the one capacity stream.
 */
@Injectable()
export class RecountBeds implements DueSlice {
  readonly kind = recountKind;
  readonly #capacities: Capacities;

  constructor(capacities: Capacities) {
    this.#capacities = capacities;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    for (const service of await countFreeBeds(tx, row.key)) {
      await this.#capacities.apply(tx, service.serviceId, { action: 'capacity.tell' }, (state, { now }) => tellCapacity(state, service, now));
    }
  }
}
