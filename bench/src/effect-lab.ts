import type { Session } from './benchmark.ts';
import { Network } from './network.ts';
import { ReferralLab } from './referral-lab.ts';

export const eventsPerSecond = 50;
/** Enough that a slow answer never delays the next act. */
const connections = 32;
const arriveWithinMs = 30_000;

/**
 * Two services as two processes over one broker: each acknowledgement of a referral commits an audit entry in
 * `referral`, and the entry's row commits in `audit`. 50 acts a second make 50 measured events a second; the
 * acknowledgements themselves travel beside them.
 */
export class EffectLab {
  readonly network: Network;
  readonly #lab: ReferralLab;

  private constructor(network: Network, lab: ReferralLab) {
    this.network = network;
    this.#lab = lab;
  }

  static async open(session: Session): Promise<EffectLab> {
    const network = await Network.start(session, { kafka: true });
    await network.prepare('referral', 'audit');
    await network.startIssuer();
    await network.startService('audit');
    const lab = new EffectLab(network, await ReferralLab.open(network));
    await lab.run(5);
    return lab;
  }

  /** The delays of every event of a run, after two seconds that are not counted. */
  async run(seconds: number): Promise<number[]> {
    const options = { connections, warmUpMs: 0, perSecond: eventsPerSecond } as const;
    const first = await this.#lab.seed(eventsPerSecond * (seconds + 3));
    const { nextReferral } = await this.#lab.answer('acknowledgement', first, { ...options, measureMs: 2_000 });
    const after = await positionNow(this.network);
    await this.#lab.answer('acknowledgement', nextReferral, { ...options, measureMs: seconds * 1_000 });
    return await effectDelaysMs(this.network, { after, before: await positionNow(this.network), withinMs: arriveWithinMs });
  }
}

/** The place in a log before which events are not looked at. */
async function positionNow(network: Network): Promise<string> {
  const [row] = await network.query('referral', 'SELECT COALESCE(max(position), 0)::text AS position FROM event');
  return row!.position as string;
}

/**
 * How long each audit entry of the referral service took from its commit there to the commit of its effect in the
 * audit service, in ms, in the order of writing. Both times are the server's own commit times: nothing in the services
 * is changed or asked to measure itself. Waits until every entry has arrived, `withinMs` at most; then it throws.
 */
async function effectDelaysMs(network: Network, { after, before, withinMs }: { after: string; before: string; withinMs: number }): Promise<number[]> {
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
