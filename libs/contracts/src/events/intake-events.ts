import { z } from 'zod';
import { Indicator } from '../codes.ts';
import { Id, Instant, Month, published } from '../event.ts';

const consent = 'intake.consent.v1';
const transfer = 'intake.transfer.v1';
const parties = { transferId: Id, fromOrg: Id, toOrg: Id };

/** An Ed25519 public key as a JWK (RFC 8037). */
export const Ed25519Jwk = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().length(43) });
export type Ed25519Jwk = z.infer<typeof Ed25519Jwk>;

/** What leaves intake: keys, the effect of consents, transfers and counts. Screening and needs never do. */
export const intakeEvents = {
  ReceiptKeyPublished: published('intake.receipt-key-published.v1', consent, z.strictObject({ kid: z.string().min(1).max(100), key: Ed25519Jwk })),
  ConsentWithdrawn: published('intake.consent-withdrawn.v1', consent, z.strictObject({
    consentRef: Id, version: z.int().min(1), effectiveAt: Instant, service: z.enum(['stop', 'continue']), releaseHoldAt: Instant, disposeNotBefore: Instant,
  })),
  TransferOffered: published('intake.transfer-offered.v1', transfer, z.strictObject({ ...parties, consentRef: Id, expiresAt: Instant })),
  TransferAccepted: published('intake.transfer-accepted.v1', transfer, z.strictObject({ ...parties })),
  TransferDeclined: published('intake.transfer-declined.v1', transfer, z.strictObject({ ...parties })),
  TransferExpired: published('intake.transfer-expired.v1', transfer, z.strictObject({ ...parties })),
  /** One fact for one pair of dimensions, with a random id of its own: nothing joins two facts of one person. */
  Counted: published('intake.counted.v1', 'intake.counting.v1', z.strictObject({
    countingId: Id, indicator: Indicator, month: Month, dimensions: z.partialRecord(z.enum(['sex', 'ageBand', 'region']), z.string().max(20)),
  })),
} as const;
