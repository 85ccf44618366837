import { Injectable } from '@nestjs/common';
import { type DueRow, SealedStore, type Transaction } from '@amana/persistence';
import type { DueSlice } from '@amana/service';
import { removeAddress, settleMail } from '../domain/mailbox.ts';
import { addressField, Mailboxes, mailDue } from '../mailboxes.ts';
import { MailSender } from '../mail-sender.ts';
import { Outbox } from '../outbox.ts';

/** Sends the mail that is due for an organisation, between two transactions as webhooks are. */
@Injectable()
export class SendMail implements DueSlice {
  readonly kind = mailDue;
  readonly #mailboxes: Mailboxes;
  readonly #sealed: SealedStore;
  readonly #sender: MailSender;
  readonly #outbox: Outbox;

  constructor(mailboxes: Mailboxes, sealed: SealedStore, sender: MailSender, outbox: Outbox) {
    this.#mailboxes = mailboxes;
    this.#sealed = sealed;
    this.#sender = sender;
    this.#outbox = outbox;
  }

  async handle(row: DueRow, tx: Transaction): Promise<void> {
    const { state } = await this.#mailboxes.load(tx, row.key);
    const { pending, language, addressVersion } = state;
    if (!state.active || !pending) return;
    const address = await this.#sealed.find<string>(tx, { caseId: row.key, field: addressField, version: addressVersion });
    if (!address) {
      // Its key was destroyed: there is no address any more.
      await this.#mailboxes.apply(tx, row.key, { action: 'notification.give-up' }, removeAddress);
      return;
    }
    this.#outbox.claim(tx, row, async () => {
      const outcome = await this.#sender.send({ address: address.reveal(), language, itemId: pending.itemId });
      await this.#outbox.record(async (recording, retry) => {
        await this.#mailboxes.apply(recording, row.key, { action: outcome.kind === 'delivered' ? 'notification.deliver' : 'notification.fail' }, (mailbox) =>
          settleMail(mailbox, { ...outcome, attempt: pending.attempts + 1 }, retry));
      });
    });
  }
}
