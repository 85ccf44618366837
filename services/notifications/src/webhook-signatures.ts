import { Injectable } from '@nestjs/common';
import { Keys } from '@amana/service';
import { Webhook } from 'standardwebhooks';
import type { SignatureScheme } from './domain/webhook.ts';

/** What is signed: the message's id, the time of this try and the exact body. */
export interface Signed {
  readonly id: string;
  readonly timestampS: number;
  readonly body: string;
}

export interface WebhookKey {
  readonly kid: string;
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  /** The same key as Standard Webhooks writes it. */
  readonly whpk: string;
}

const signingPurpose = 'webhook-signature';
const secretPurpose = 'webhook-secret';

/** Signs webhooks by Standard Webhooks: `v1a` with our Ed25519 key, `v1` with a secret that belongs to one webhook. */
@Injectable()
export class WebhookSignatures {
  readonly #keys: Keys;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** The value of `webhook-signature`. */
  async sign(message: Signed, by: { scheme: SignatureScheme; webhookId: string }): Promise<string> {
    if (by.scheme === 'v1') return signV1(message, this.secretOf(by.webhookId));
    const { signature } = await this.#keys.provider.sign(signingPurpose, contentOf(message));
    return `v1a,${signature.toString('base64')}`;
  }

  /** The secret of a `v1` webhook. It is derived, not stored: the answer that shows it can be given again on a retry. */
  secretOf(webhookId: string): string {
    return `whsec_${this.#keys.provider.hmacSync(secretPurpose, webhookId).toString('base64')}`;
  }

  /** The keys by which `v1a` signatures are checked. */
  async publicKeys(): Promise<WebhookKey[]> {
    const { kid, jwk } = await this.#keys.provider.publicKey(signingPurpose);
    return [{ kid, ...jwk, whpk: `whpk_${Buffer.from(jwk.x, 'base64url').toString('base64')}` }];
  }
}

/** The bytes that either scheme signs. */
export function contentOf({ id, timestampS, body }: Signed): Buffer {
  return Buffer.from(`${id}.${timestampS}.${body}`, 'utf8');
}

/** Throws for a secret that is empty or no base64. */
export function signV1({ id, timestampS, body }: Signed, secret: string): string {
  return new Webhook(secret).sign(id, new Date(timestampS * 1_000), body);
}
