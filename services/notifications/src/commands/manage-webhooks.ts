import { Controller } from '@nestjs/common';
import { refuseField } from '@amana/contracts';
import { SealedStore, type Transaction } from '@amana/persistence';
import { type Act, Allow, Command, TheAct } from '@amana/service';
import { z } from 'zod';
import { webhookUrl } from '../address-guard.ts';
import { DeliverySettings } from '../delivery-settings.ts';
import { register, remove, SignatureScheme } from '../domain/webhook.ts';
import { urlField, WebhookAnswer, Webhooks } from '../webhooks.ts';

export const WebhookRegistration = z.strictObject({
  url: z.string().min(1).max(2_000).describe('https, port 443, without credentials; in the sandbox http to this machine too'),
  signature: SignatureScheme.default('v1a').describe('`v1a`: Ed25519, checked with our public key. `v1`: HMAC with a secret of your own'),
}).meta({ id: 'WebhookRegistration' });
export type WebhookRegistration = z.infer<typeof WebhookRegistration>;

/** An organisation's administrator says where it wants to be called. */
@Controller()
export class ManageWebhooks {
  readonly #webhooks: Webhooks;
  readonly #sealed: SealedStore;
  readonly #settings: DeliverySettings;

  constructor(webhooks: Webhooks, sealed: SealedStore, settings: DeliverySettings) {
    this.#webhooks = webhooks;
    this.#sealed = sealed;
    this.#settings = settings;
  }

  @Command('POST /v1/notifications/webhooks', {
    summary: 'Be called when an item waits for your organisation', creates: true, body: WebhookRegistration, answer: WebhookAnswer, refusals: ['webhook-url-refused'],
  })
  @Allow('webhook.manage')
  register(@TheAct() act: Act<WebhookRegistration>): Promise<WebhookAnswer> {
    return this.#webhooks.create(act, async (state, { url, signature }, { tx, id }) => {
      // Why it is refused is not said: a registration must not be a way to learn what lies inside the network.
      if (!webhookUrl(url, this.#settings)) return refuseField('webhook-url-refused', '/url');
      const decision = register(state, { organisationId: act.organisationId, signature }, await this.#activeOf(tx, act.organisationId));
      if (Array.isArray(decision)) await this.#sealed.put(tx, { caseId: id, field: urlField, version: 1 }, url);
      return decision;
    });
  }

  @Command('DELETE /v1/notifications/webhooks/:webhookId', { summary: 'Be called there no longer; what waits for it is given up', answer: WebhookAnswer })
  @Allow('webhook.manage')
  remove(@TheAct() act: Act): Promise<WebhookAnswer> {
    return this.#webhooks.commit(act, act.id('webhookId'), (state) => remove(state));
  }

  async #activeOf(tx: Transaction, organisationId: string): Promise<number> {
    const [row] = await tx.query<{ count: number }>({ name: 'webhook-count', text: 'SELECT count(*)::int AS count FROM webhook WHERE organisation_id = $1 AND status = \'active\'', values: [organisationId] });
    return row!.count;
  }
}
