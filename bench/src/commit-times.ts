import type { Network } from './network.ts';

/** The place in a log before which events are not looked at. */
export async function positionNow(network: Network): Promise<string> {
  const [row] = await network.query('referral', 'SELECT COALESCE(max(position), 0)::text AS position FROM event');
  return row!.position as string;
}

/**
 * How long each audit entry of the referral service took from its commit there to the commit of its effect in the
 * audit service, in ms, in the order of writing. Both times are the server's own commit times: nothing in the services
 * is changed or asked to measure itself. Waits until every entry has arrived, `withinMs` at most; then it throws.
 */
export async function effectDelaysMs(network: Network, { after, before, withinMs }: { after: string; before: string; withinMs: number }): Promise<number[]> {
  const committed = await network.query<{ id: string; ms: number }>('referral', `
    SELECT id::text, extract(epoch FROM pg_xact_commit_timestamp(xid::xid))::float8 * 1000 AS ms FROM event
    WHERE type = 'referral.audit-entry.v1' AND position > $1 AND position <= $2 ORDER BY position`, [after, before]);
  const untilMs = Date.now() + withinMs;
  for (;;) {
    const effects = await network.query<{ id: string; ms: number }>('audit', `
      SELECT event_id::text AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS ms FROM audit_entry WHERE event_id = ANY ($1::uuid[])`,
    [committed.map(({ id }) => id)]);
    if (effects.length === committed.length) {
      const effectAt = new Map(effects.map(({ id, ms }) => [id, ms]));
      return committed.map(({ id, ms }) => effectAt.get(id)! - ms);
    }
    if (Date.now() > untilMs) throw new Error(`${committed.length - effects.length} of ${committed.length} effects have not arrived in time`);
    await new Promise((resolve) => { setTimeout(resolve, 250); });
  }
}
