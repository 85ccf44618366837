import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { isIP } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import { AddressRefused, guardedLookup, hostOf, isLoopbackAddress, isPublicAddress, type Resolve, webhookUrl } from './address-guard.ts';
import { DeliverySettings } from './delivery-settings.ts';
import { failureOf, outcomeOf, type SendOutcome } from './domain/send-outcome.ts';
import type { SignatureScheme } from './domain/webhook.ts';
import { WebhookSignatures } from './webhook-signatures.ts';

export interface Message {
  readonly url: string;
  readonly webhookId: string;
  readonly scheme: SignatureScheme;
  /** The same for every try of one message. */
  readonly messageId: string;
  readonly itemId: string;
  readonly notedAt: string;
}

/** Of an answer's body so much is read to be polite; nothing of it is kept. */
const answerLimitBytes = 16_384;

/** The body of every webhook: one neutral type and an id that means nothing to anybody else. A type name at a proxy would be a disclosure. */
export function bodyOf(message: Pick<Message, 'itemId' | 'notedAt'>): string {
  return JSON.stringify({ type: 'item.changed', timestamp: message.notedAt, data: { itemId: message.itemId } });
}

/**
 * Sends webhooks: one POST, no redirect followed, to an address that was tested when it was connected to. Only the
 * headers named here leave; above all no trace context.
 */
@Injectable()
export class WebhookSender implements OnModuleDestroy {
  readonly #settings: DeliverySettings;
  readonly #signatures: WebhookSignatures;
  readonly #agent: Agent;
  readonly #stopping = new AbortController();

  constructor(settings: DeliverySettings, signatures: WebhookSignatures) {
    this.#settings = settings;
    this.#signatures = signatures;
    this.#agent = guardedAgent({ allowLoopback: settings.allowLoopback, timeoutMs: settings.timeoutMs });
  }

  /** Tries once, for 15 s at most. Never throws: what failed is told by a code. Undefined when this process stopped it. */
  async send(message: Message, now: Date): Promise<SendOutcome | undefined> {
    const url = webhookUrl(message.url, this.#settings);
    if (!url) return failureOf(new AddressRefused());
    const signed = { id: message.messageId, timestampS: Math.floor(now.getTime() / 1_000), body: bodyOf(message) };
    try {
      const signature = await this.#signatures.sign(signed, message);
      const answer = await request(url, {
        dispatcher: this.#agent, method: 'POST', body: signed.body, signal: AbortSignal.any([AbortSignal.timeout(this.#settings.timeoutMs), this.#stopping.signal]),
        headers: {
          'content-type': 'application/json', 'user-agent': 'Webhooks/1',
          'webhook-id': signed.id, 'webhook-timestamp': String(signed.timestampS), 'webhook-signature': signature,
        },
      });
      // The status has come: what happens to the rest of the answer does not change what it says.
      await answer.body.dump({ limit: answerLimitBytes }).catch(() => {});
      const retryAfter = answer.headers['retry-after'];
      return outcomeOf({ status: answer.statusCode, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined, now });
    } catch (error) {
      return this.#stopping.signal.aborted ? undefined : failureOf(error);
    }
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await this.#agent.destroy();
  }
}

/** An agent whose every connection goes to a tested address; one connection per request, so that each is tested. */
export function guardedAgent(options: { allowLoopback: boolean; timeoutMs: number; resolve?: Resolve }): Agent {
  const connectBy = (permitted: (address: string) => boolean): buildConnector.connector => {
    const connector = buildConnector({ lookup: guardedLookup(permitted, options.resolve), timeout: options.timeoutMs, allowH2: false } as buildConnector.BuildOptions);
    return (target, callback) => {
      const host = hostOf(target.hostname);
      // Sockets do not look up what is an address already.
      if (isIP(host) !== 0 && !permitted(host)) callback(new AddressRefused(), null);
      else connector(target, callback);
    };
  };
  const secure = connectBy(isPublicAddress);
  const plain = connectBy(options.allowLoopback ? isLoopbackAddress : () => false);
  return new Agent({
    connect: (target, callback) => (target.protocol === 'https:' ? secure : plain)(target, callback),
    pipelining: 0, headersTimeout: options.timeoutMs, bodyTimeout: options.timeoutMs, maxHeaderSize: 16_384,
  });
}
