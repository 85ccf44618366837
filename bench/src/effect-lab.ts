import type { Session } from './benchmark.ts';
import { effectDelaysMs, positionNow } from './commit-times.ts';
import { Network } from './network.ts';
import { ReferralLab } from './referral-lab.ts';

export const eventsPerSecond = 50;
const connections = 8;
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
