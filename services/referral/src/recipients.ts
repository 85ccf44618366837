import { randomUUID } from 'node:crypto';
import { type ConsentPurpose, type Ed25519Jwk, Refusal, refuseField } from '@amana/contracts';
import type { Transaction } from '@amana/persistence';
import { type ConsentReceipt, verifyReceipt } from '@amana/privacy';
import type { Recipient } from './domain/referral.ts';

/** A key that signed a receipt may still be on its way over the bus. */
const keyArrivesWithinSeconds = 2;

export interface NamedRecipient {
  readonly serviceId: string;
  readonly receipt: string;
}

/**
 * The recipients of a draft, each checked against the directory and against the receipt that she agreed to: signed by
 * intake, for this sender, this recipient, this service. Nobody is called: the keys came by event.
 */
export async function resolveRecipients(tx: Transaction, named: readonly NamedRecipient[], options: { fromOrg: string; referralId: string; now: Date }): Promise<Recipient[] | Refusal> {
  const keys = await receiptKeys(tx);
  const recipients: Recipient[] = [];
  for (const [index, { serviceId, receipt }] of named.entries()) {
    const service = await findService(tx, serviceId);
    if (!service) return refuseField('service-unknown', `/recipients/${index}/serviceId`);
    const verdict = await verifyReceipt(receipt, { keys, now: options.now });
    if (!verdict.ok) {
      return verdict.reason === 'unknown-key'
        ? new Refusal('consent-key-unknown', { retryAfterSeconds: keyArrivesWithinSeconds })
        : refuseField('consent-invalid', `/recipients/${index}/receipt`);
    }
    if (!covers(verdict.claims, { fromOrg: options.fromOrg, toOrg: service.organisationId, serviceId, purpose: 'service' })) return refuseField('consent-invalid', `/recipients/${index}/receipt`);
    recipients.push({
      referralId: index === 0 ? options.referralId : randomUUID(), serviceId, organisationId: service.organisationId, serviceKind: service.kind,
      consentRef: verdict.claims.jti, consentUntil: new Date(verdict.claims.exp * 1000).toISOString(),
    });
  }
  const refs = new Set(recipients.map((recipient) => recipient.consentRef));
  return refs.size === recipients.length ? recipients : refuseField('consent-invalid', '/recipients');
}

/** Why a recipient may not be asked now, or undefined: her consent has ended, the organisation left or is suspended, the service closed. */
export async function mayReceive(tx: Transaction, recipient: Recipient): Promise<Refusal | undefined> {
  const [ended] = await tx.query({ name: 'ended-consent', text: 'SELECT 1 FROM ended_consent WHERE consent_ref = $1', values: [recipient.consentRef] });
  if (ended) return new Refusal('consent-withdrawn');
  const service = await findService(tx, recipient.serviceId);
  if (!service || service.status !== 'active') return new Refusal('service-unknown');
  if (service.organisationStatus !== 'active') return new Refusal('recipient-suspended');
  return service.protocolVersion ? undefined : new Refusal('protocol-missing');
}

function covers(claims: ConsentReceipt, asked: { fromOrg: string; toOrg: string; serviceId: string; purpose: ConsentPurpose }): boolean {
  return claims.iss === asked.fromOrg && claims.recipient === asked.toOrg && claims.purpose === asked.purpose && (claims.serviceId === undefined || claims.serviceId === asked.serviceId);
}

async function receiptKeys(tx: Transaction): Promise<Map<string, Ed25519Jwk>> {
  const rows = await tx.query<{ kid: string; key: Ed25519Jwk }>({ name: 'receipt-keys', text: 'SELECT kid, key FROM receipt_key', values: [] });
  return new Map(rows.map((row) => [row.kid, row.key]));
}

interface ListedService { organisationId: string; kind: Recipient['serviceKind']; status: string; organisationStatus: string; protocolVersion: string | null; [column: string]: unknown }

async function findService(tx: Transaction, serviceId: string): Promise<ListedService | undefined> {
  const [service] = await tx.query<ListedService>({
    name: 'listed-service', values: [serviceId],
    text: `SELECT s.organisation_id AS "organisationId", s.kind, s.status, o.status AS "organisationStatus", o.protocol_version AS "protocolVersion"
      FROM service s JOIN organisation o USING (organisation_id) WHERE s.service_id = $1`,
  });
  return service;
}
