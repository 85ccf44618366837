import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Patience } from './caller.ts';
import type { Journal } from './journal.ts';

export interface Consent {
  readonly consentRef: string;
  readonly fromOrg: string;
  readonly toOrg: string;
  readonly serviceId: string;
}

/** A withdrawn hold is given back so soon after, that the release falls into the run. */
const releaseAfterMs = 1_500;
const receiptValidSeconds = 30 * 86_400;

/**
 * Signs receipts with a key of its own, and tells of the key and of withdrawals as intake would: by rows of intake's
 * event log, which intake's own relay publishes. So consent takes the real way without a whole conversation each time.
 */
export class Consents {
  readonly #pool: pg.Pool;
  readonly #journal: Journal;
  readonly #key: { kid: string; privateKey: KeyObject; x: string };

  constructor(options: { intakeUrl: string; journal: Journal }) {
    this.#pool = new pg.Pool({ connectionString: options.intakeUrl, max: 4, connectionTimeoutMillis: 3_000 });
    this.#pool.on('error', () => undefined);
    this.#journal = options.journal;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#key = { kid: `faults-${randomUUID()}`, privateKey, x: publicKey.export({ format: 'jwk' }).x! };
  }

  /** Makes the key known to the network; receipts are refused as unknown until it has arrived. */
  async publishKey(run: number, patience: Patience): Promise<void> {
    const data = { kid: this.#key.kid, key: { kty: 'OKP', crv: 'Ed25519', x: this.#key.x } };
    await this.#append({ stream: randomUUID(), type: 'intake.receipt-key-published.v1', data }, run, patience);
  }

  /** What she agreed to for one recipient, as the compact JWS that a draft carries. */
  receiptOf(consent: Consent): string {
    const issuedAt = Math.floor(Date.now() / 1000) - 60;
    const claims = {
      jti: consent.consentRef, ver: 1, iss: consent.fromOrg, recipient: consent.toOrg, serviceId: consent.serviceId, categories: ['identity', 'contact'], purpose: 'service',
      iat: issuedAt, exp: issuedAt + receiptValidSeconds, lang: 'fr',
    };
    const signed = `${encode({ alg: 'EdDSA', typ: 'amana-consent-receipt+jwt', kid: this.#key.kid })}.${encode(claims)}`;
    return `${signed}.${sign(null, Buffer.from(signed), this.#key.privateKey).toString('base64url')}`;
  }

  /** Her consent ends; resolves when that is committed, or when nobody may wait any longer. */
  async withdraw(consentRef: string, run: number, patience: Patience): Promise<void> {
    const now = Date.now();
    const data = {
      consentRef, version: 2, effectiveAt: new Date(now).toISOString(), service: 'stop',
      releaseHoldAt: new Date(now + releaseAfterMs).toISOString(), disposeNotBefore: new Date(now + releaseAfterMs).toISOString(),
    };
    await this.#append({ stream: consentRef, type: 'intake.consent-withdrawn.v1', data }, run, patience);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** Tried until the row is known to stand: a second try after a lost answer meets the first one's key. */
  async #append(event: { stream: string; type: string; data: object }, run: number, patience: Patience): Promise<void> {
    const id = uuidv7();
    while (Date.now() < patience.giveUpAtMs) {
      try {
        await this.#pool.query(
          `INSERT INTO event (id, stream, version, type, topic, key, data, meta, at) VALUES ($1, $2::uuid, 1, $3, 'intake.consent.v1', $2::text, $4, '{}', now())`,
          [id, event.stream, event.type, JSON.stringify(event.data)],
        );
      } catch (error) {
        const { code = '' } = error as { code?: string };
        if (/^(22|42)/.test(code)) throw error;
        if (code !== '23505') {
          await delay(200);
          continue;
        }
      }
      this.#journal.append({ kind: 'write', run, service: 'intake', stream: event.stream, version: 1 });
      return;
    }
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function uuidv7(): string {
  const random = randomUUID();
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}
