import { randomUUID } from 'node:crypto';
import { Controller } from '@nestjs/common';
import type { intakeEvents } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { z } from 'zod';
import { Cases } from '../cases.ts';
import { openTransferred } from '../domain/case.ts';
import { Held } from '../held.ts';

type Parties = z.infer<typeof intakeEvents.TransferAccepted.data>;

/** The receiver's side of a transfer: what was offered to it, and the case that waits for the file once it has accepted. */
@Controller()
export class OnTransfer {
  readonly #held: Held;
  readonly #cases: Cases;

  constructor(held: Held, cases: Cases) {
    this.#held = held;
    this.#cases = cases;
  }

  @Reaction('intake.transfer-offered.v1')
  async onOffered({ data, at }: ReceivedEvent<z.infer<typeof intakeEvents.TransferOffered.data>>, context: InboxContext): Promise<void> {
    if (!this.#held.holds(data.toOrg)) return;
    context.getTransaction().write({
      name: 'incoming-offered', values: [data.transferId, data.fromOrg, data.toOrg, data.expiresAt, at],
      text: `INSERT INTO incoming_transfer (transfer_id, from_org, to_org, status, expires_at, changed_at) VALUES ($1, $2, $3, 'offered', $4, $5)
        ON CONFLICT (transfer_id) DO NOTHING`,
    });
  }

  @Reaction('intake.transfer-accepted.v1')
  async onAccepted({ data, at }: ReceivedEvent<Parties>, context: InboxContext): Promise<void> {
    const { transferId, toOrg: organisationId } = data;
    if (!this.#held.holds(organisationId)) return;
    const tx = context.getTransaction();
    const caseId = randomUUID();
    // Without the event's correlation: the ledger must not join the new case's tag with a transfer that two organisations know.
    await this.#cases.apply(tx, caseId, { action: 'transfer.accept' }, (state) => openTransferred(state, { organisationId, transferId }));
    tx.write({ name: 'incoming-accepted', values: [transferId, caseId, at], text: 'UPDATE incoming_transfer SET status = \'accepted\', case_id = $2, changed_at = $3 WHERE transfer_id = $1' });
  }

  @Reaction('intake.transfer-declined.v1', 'intake.transfer-expired.v1')
  async onEnded({ type, data, at }: ReceivedEvent<Parties>, context: InboxContext): Promise<void> {
    const status = type === 'intake.transfer-declined.v1' ? 'declined' : 'expired';
    context.getTransaction().write({ name: 'incoming-ended', values: [data.transferId, status, at], text: 'UPDATE incoming_transfer SET status = $2, changed_at = $3 WHERE transfer_id = $1' });
  }
}
