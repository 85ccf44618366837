import type { Transaction } from '@amana/persistence';
import type { ListedRecipient } from './domain/consent.ts';

/** What the directory says of these organisations; one that is not listed is missing from the answer. */
export async function listedRecipients(tx: Transaction, organisationIds: readonly string[]): Promise<ReadonlyMap<string, ListedRecipient>> {
  const rows = await tx.query<{ organisation_id: string; status: string; protocol_version: string | null; ceiling: string[]; service_ids: string[] | null }>({
    name: 'directory-recipients', values: [[...new Set(organisationIds)]],
    text: `SELECT o.organisation_id, o.status, o.protocol_version, o.ceiling, array_agg(s.service_id::text) FILTER (WHERE s.status = 'active') AS service_ids
      FROM organisation o LEFT JOIN service s USING (organisation_id) WHERE o.organisation_id = ANY($1::uuid[]) GROUP BY o.organisation_id`,
  });
  return new Map(rows.map((row) => [row.organisation_id, { status: row.status, protocolVersion: row.protocol_version, ceiling: row.ceiling, serviceIds: row.service_ids ?? [] }]));
}
