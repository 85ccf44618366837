import type { Row, Statement, Transaction } from '@amana/persistence';

const open = ['submitted', 'acknowledged', 'accepted', 'scheduled', 'in-progress'];

/** The referrals of a case that are still open. A draft that has not been submitted is known to `referral` alone. */
export async function openReferralsOf(tx: Transaction, caseId: string): Promise<string[]> {
  const rows = await tx.query({
    name: 'links-open', values: [caseId, open],
    text: 'SELECT l.referral_id FROM referral_link l JOIN consent c USING (consent_ref) WHERE c.case_id = $1 AND l.status = ANY($2)',
  });
  return rows.map((row) => row.referral_id as string);
}

/** Every referral that rests on a consent of this case. */
export function linksOfCase(caseId: string): Statement {
  return { name: 'links-of-case', values: [caseId], text: 'SELECT l.referral_id FROM referral_link l JOIN consent c USING (consent_ref) WHERE c.case_id = $1 ORDER BY l.referral_id LIMIT 500' };
}

/**
 * Two facts about one referral that arrive at the same moment are handled one after the other: without it each could
 * miss the other's row, and a stay would never be counted.
 */
export function lockReferral(referralId: string): Statement {
  return { name: 'link-lock', values: [referralId], text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))' };
}

/** The case behind a referral whose receiver is this organisation, with its owner; undefined if none here. */
export async function caseBehind(tx: Transaction, referral: { referralId: string; toOrg: string }): Promise<{ caseId: string } | undefined> {
  const [row] = await tx.query<Row>({
    name: 'link-case', values: [referral.referralId, referral.toOrg],
    text: `SELECT c.case_id FROM referral_link l JOIN consent c USING (consent_ref)
      WHERE l.referral_id = $1 AND l.to_org = $2 AND c.organisation_id = l.to_org AND c.owner_org = l.from_org`,
  });
  return row && { caseId: row.case_id as string };
}
