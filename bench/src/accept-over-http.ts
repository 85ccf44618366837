import type { Benchmark, Session } from './benchmark.ts';
import { acceptanceScript } from './accept-script.ts';
import { type Bar, type Figure, skippedFigure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { findPostgresProgram, runPgbench, withoutPgbench } from './pgbench.ts';
import { ReferralLab } from './referral-lab.ts';
import { median, percentile } from './statistics.ts';

const bar: Bar = { of: 'ratio', atLeast: 0.3 };
const figure = { name: 'accept-over-http', unit: 'acts/s', reference: 'pgbench -M prepared, 8 clients, the same statements one round trip each', bar };
const connections = 8;
const warmUpMs = 2_000;
const measureMs = 8_000;
/** More than either side answers in a run on a fast machine; what is left over is not harmed by being there. */
const servicePerSecond = 1_500;
const pgbenchPerSecond = 4_000;

/**
 * Accepting a referral over HTTP: policy, verified token, idempotency, If-Match, decision, three events with the audit
 * entry, board, deadlines, and tracing of every act; its Kafka broker and relay run beside it as they would in operation.
 */
export const acceptOverHttp: Benchmark = {
  name: 'accept-over-http',
  async measure(session: Session): Promise<Figure[]> {
    if (!findPostgresProgram('pgbench')) return [skippedFigure(figure, withoutPgbench)];
    const kafka = Network.withoutKafka() === undefined;
    const network = await Network.start(session, { kafka });
    await network.prepare('referral', 'intake', 'shelter', 'health');
    await network.startIssuer();
    const lab = await ReferralLab.open(network);
    // Until the code is hot, several hundred acts; the first of them is what pgbench repeats.
    const first = await lab.seed(servicePerSecond * 10);
    const { nextReferral } = await lab.answer('acceptance', first, { connections, warmUpMs, measureMs: 5_000 });
    session.tell(`Warmed up with ${nextReferral - first} acceptances.`);
    const script = await acceptanceScript(network, first);
    const [service, reference]: [number[], number[]] = [[], []];
    let p99Ms: number[] = [];
    for (let run = 1; run <= session.runs; run += 1) {
      const load = await lab.answer('acceptance', await lab.seed(servicePerSecond * 10), { connections, warmUpMs, measureMs });
      service.push(load.done / load.seconds);
      p99Ms = [...p99Ms, percentile(load.latenciesMs, 0.99)];
      reference.push(await referenceRun(lab, script));
      session.tell(`Run ${run}: ${service.at(-1)!.toFixed(0)} acts/s over HTTP, ${reference.at(-1)!.toFixed(0)}/s by pgbench.`);
    }
    const note = `p99 ${median(p99Ms).toFixed(1)} ms; tokens verified, every act traced, ${kafka ? 'events relayed to Kafka meanwhile' : 'no broker here: without a relay'}`;
    return [toFigure({ ...figure, value: median(service), referenceValue: median(reference), note })];
  },
};

/** Transactions a second, each of which has really accepted a referral. */
async function referenceRun(lab: ReferralLab, script: string): Promise<number> {
  const { network } = lab;
  const seconds = (warmUpMs + measureMs) / 1000;
  const share = Math.ceil((pgbenchPerSecond * seconds) / connections);
  const first = await lab.seed(share * connections + connections);
  const accepted = async (): Promise<number> => Number((await network.query('referral', 'SELECT count(*) FROM referral_board WHERE status = \'accepted\''))[0]!.count);
  const before = await accepted();
  const { perSecond, latenciesMs } = await runPgbench({
    adminUrl: network.adminUrl('referral'), folder: network.session.folder(), script, clients: connections, seconds, variables: { n: 0, first: first - 1, share },
  });
  if (await accepted() - before !== latenciesMs.length) throw new Error('pgbench has not accepted one referral in each transaction');
  return perSecond;
}
