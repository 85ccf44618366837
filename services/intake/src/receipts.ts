import { Injectable } from '@nestjs/common';
import { type ConsentReceipt, receiptKeyOf, signReceipt } from '@amana/privacy';
import { Keys } from '@amana/service';
import type { GivenConsent } from './domain/case-events.ts';

/** Signs what she agreed to. The same consent gives the same receipt, byte for byte: Ed25519 signatures are deterministic. */
@Injectable()
export class Receipts {
  readonly #keys: Keys;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** The receipt of a consent: a compact JWS that names her in no way. */
  async of(ownerOrg: string, consent: GivenConsent): Promise<string> {
    const claims: ConsentReceipt = {
      jti: consent.consentRef, ver: 1, iss: ownerOrg, recipient: consent.organisationId, ...(consent.serviceId ? { serviceId: consent.serviceId } : {}),
      categories: [...consent.categories], purpose: consent.purpose, iat: seconds(consent.givenAt), exp: seconds(consent.until), lang: consent.language,
    };
    return await signReceipt(claims, await receiptKeyOf(this.#keys.provider));
  }
}

function seconds(instant: string): number {
  return Math.floor(Date.parse(instant) / 1000);
}
