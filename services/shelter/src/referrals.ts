import type { ServiceSettings } from '@amana/service';
import type { Row, Statement, Transaction } from '@amana/persistence';
import type { referralEvents, Urgency } from '@amana/contracts';
import type { z } from 'zod';

/** A referral to one of the shelters here, as far as its events tell. */
export interface KnownReferral {
  readonly organisationId: string;
  readonly fromOrg: string;
  readonly serviceId: string;
  readonly consentRef: string;
  readonly status: string;
  readonly urgency: Urgency;
  readonly dependantsCount: number;
  readonly expiresAt: Date;
}

/** Whether this instance keeps the data of that organisation; one without a list keeps everybody's. */
export function keepsFor(settings: ServiceSettings, organisationId: string): boolean {
  return settings.organisations.length === 0 || settings.organisations.includes(organisationId);
}

export function listReferral(data: z.infer<typeof referralEvents.ReferralSubmitted.data>, at: Date): Statement {
  return {
    name: 'shelter-referral-list',
    values: [data.referralId, data.toOrg, data.fromOrg, data.toServiceId, data.consentRef, data.urgency, data.placementClass ?? null, data.dependantsCount, data.ackBy, data.decideBy, data.serveBy, data.expiresAt, at],
    text: `INSERT INTO shelter_referral (referral_id, organisation_id, from_org, service_id, consent_ref, status, urgency, placement_class, dependants_count, ack_by, decide_by, serve_by, expires_at, submitted_at)
      VALUES ($1, $2, $3, $4, $5, 'submitted', $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (referral_id) DO NOTHING`,
  };
}

/** Where a listed referral now stands; one that is not listed here concerns other services. */
export function moveReferral(referralId: string, status: string): Statement {
  return { name: 'shelter-referral-move', values: [referralId, status], text: 'UPDATE shelter_referral SET status = $2 WHERE referral_id = $1' };
}

/** With the yes the shelter may read her data: from now on it is one of its holders. */
export function markDataHeld(referralId: string): Statement {
  return { name: 'shelter-referral-held', values: [referralId], text: 'UPDATE shelter_referral SET data_held = true WHERE referral_id = $1' };
}

export async function findReferral(tx: Transaction, referralId: string): Promise<KnownReferral | undefined> {
  const [row] = await tx.query({
    name: 'shelter-referral-find', values: [referralId],
    text: 'SELECT organisation_id, from_org, service_id, consent_ref, status, urgency, dependants_count, expires_at FROM shelter_referral WHERE referral_id = $1',
  });
  return row && toReferral(row);
}

function toReferral(row: Row): KnownReferral {
  return {
    organisationId: row.organisation_id as string, fromOrg: row.from_org as string, serviceId: row.service_id as string, consentRef: row.consent_ref as string, status: row.status as string,
    urgency: row.urgency as Urgency, dependantsCount: row.dependants_count as number, expiresAt: row.expires_at as Date,
  };
}
