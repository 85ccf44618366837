import type { DataCategory } from '@amana/contracts';
import type { Row, Statement } from '@amana/persistence';
import type { Grant } from './domain/disclosure.ts';

const consentColumns = `c.case_id, c.consent_ref, c.version, c.owner_org, c.organisation_id, c.service_id AS consent_service, c.categories, c.purpose, c.until, c.withdrawn_at, b.status AS case_status`;

/**
 * A referral or a transfer by its id, with the consent it rests on. The consent's row is locked FOR SHARE until the end of
 * the transaction: a withdrawal comes either before this look, or after it is on record.
 */
export function findGrants(id: string): [Statement, Statement] {
  return [{
    name: 'grant-referral', values: [id],
    text: `SELECT ${consentColumns}, l.status, l.from_org, l.to_org, l.service_id, l.urgency FROM referral_link l
      JOIN consent c USING (consent_ref) JOIN case_board b USING (case_id) WHERE l.referral_id = $1 FOR SHARE OF c`,
  }, {
    name: 'grant-transfer', values: [id],
    text: `SELECT ${consentColumns}, t.status, t.from_org, t.to_org FROM transfer_board t
      JOIN consent c USING (consent_ref) JOIN case_board b ON b.case_id = c.case_id WHERE t.transfer_id = $1 FOR SHARE OF c`,
  }];
}

export interface Found {
  readonly grant: Grant;
  readonly caseId: string;
  readonly urgency?: string | undefined;
}

export function toGrant([referral, transfer]: readonly (readonly Row[])[]): Found | undefined {
  const row = referral?.[0] ?? transfer?.[0];
  if (!row) return undefined;
  const text = (column: string) => (row[column] as string | null | undefined) ?? undefined;
  return {
    caseId: row.case_id as string, urgency: text('urgency'),
    grant: {
      kind: referral?.[0] ? 'referral' : 'transfer', status: row.status as string, ownerOrg: row.from_org as string, toOrg: row.to_org as string, serviceId: text('service_id'),
      caseTransferred: row.case_status === 'transferred-out',
      consent: {
        consentRef: row.consent_ref as string, version: row.version as number, ownerOrg: row.owner_org as string, organisationId: row.organisation_id as string, serviceId: text('consent_service'),
        categories: row.categories as DataCategory[], purpose: row.purpose as 'service' | 'transfer', until: row.until as Date, withdrawn: row.withdrawn_at !== null,
      },
    },
  };
}
