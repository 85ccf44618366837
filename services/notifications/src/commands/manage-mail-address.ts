import { Controller } from '@nestjs/common';
import { SealedStore } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { MailLanguage, registerAddress, removeAddress } from '../domain/mailbox.ts';
import { addressField, MailAddressAnswer, Mailboxes } from '../mailboxes.ts';

export const MailAddress = z.strictObject({
  address: z.email().max(254).describe('An address of the organisation, never of a survivor'),
  language: MailLanguage.default('fr'),
}).meta({ id: 'MailAddress' });
export type MailAddress = z.infer<typeof MailAddress>;

/** An organisation has one mail address; registering another replaces it. */
@Controller()
export class ManageMailAddress {
  readonly #mailboxes: Mailboxes;
  readonly #sealed: SealedStore;

  constructor(mailboxes: Mailboxes, sealed: SealedStore) {
    this.#mailboxes = mailboxes;
    this.#sealed = sealed;
  }

  @Command('POST /v1/notifications/mail-addresses', { summary: 'Be told by mail that an item needs an answer, every ten minutes at most', creates: true, body: MailAddress, answer: MailAddressAnswer })
  @Allow('webhook.manage')
  register(@TheAct() act: Act<MailAddress>): Promise<MailAddressAnswer> {
    return this.#mailboxes.commit(act, act.organisationId, async (state, { address, language }, { tx, id }) => {
      const events = registerAddress(state, language);
      await this.#sealed.put(tx, { caseId: id, field: addressField, version: state.addressVersion + 1 }, address);
      return events;
    });
  }

  @Command('DELETE /v1/notifications/mail-addresses/:mailAddressId', { summary: 'Be told by mail no longer', answer: MailAddressAnswer })
  @Allow('webhook.manage')
  remove(@TheAct() act: Act): Promise<MailAddressAnswer> {
    return this.#mailboxes.commit(act, act.id('mailAddressId'), (state) => removeAddress(state));
  }
}
