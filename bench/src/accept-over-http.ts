import { acceptanceScript } from './accept-script.ts';
import type { Benchmark, Session } from './benchmark.ts';
import { type Bar, type Figure, skippedFigure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { findPostgresProgram, runPgbench, withoutPgbench } from './pgbench.ts';
import { canReadProcesses, cpuSecondsWithChildren } from './process-usage.ts';
import { ReferralLab } from './referral-lab.ts';
import { median, percentile } from './statistics.ts';

const bar: Bar = { of: 'ratio', atLeast: 0.3 };
const figure = { name: 'accept-over-http', unit: 'acts/s', reference: 'pgbench -M prepared, 8 clients, the same statements one round trip each', bar };
const connections = 8;
const warmUpMs = 2_000;
const measureMs = 8_000;
/** More than either side answers in a second on a fast machine; what is left over is not harmed by being there. */
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
    // Without a broker the service reads the logs of those it listens to: they must exist.
    await network.prepare('referral', ...(kafka ? [] : ['intake', 'shelter', 'health'] as const));
    await network.startIssuer();
    const lab = await ReferralLab.open(network);
    // Until the code is hot, some thousand acts; the first of them is what pgbench repeats.
    const first = await lab.seed(servicePerSecond * 10);
    const { nextReferral } = await lab.answer('acceptance', first, { connections, warmUpMs, measureMs: 5_000 });
    session.tell(`Warmed up with ${nextReferral - first} acceptances.`);
    const script = await acceptanceScript(network, first);
    const runs: { service: number; reference: number; p99Ms: number; cpu: ActCost }[] = [];
    for (let run = 1; run <= session.runs; run += 1) {
      const service = await serviceRun(lab);
      runs.push({ ...service, reference: await referenceRun(lab, script) });
      const { reference, cpu } = runs.at(-1)!;
      session.tell(`Run ${run}: ${service.service.toFixed(0)} acts/s over HTTP (${costOf(cpu)}), ${reference.toFixed(0)}/s by pgbench.`);
    }
    const of = (pick: (run: (typeof runs)[number]) => number): number => median(runs.map(pick));
    const cpu = { serviceMs: of((run) => run.cpu.serviceMs), databaseMs: of((run) => run.cpu.databaseMs) };
    const note = `p99 ${of(({ p99Ms }) => p99Ms).toFixed(1)} ms, ${costOf(cpu)}; ${kafka ? 'events relayed to Kafka meanwhile' : 'no broker here: without a relay'}`;
    return [toFigure({ ...figure, value: of(({ service }) => service), referenceValue: of(({ reference }) => reference), note })];
  },
};

/** Processor time of one act; NaN where the system does not tell. It holds on a busy machine too, where acts a second do not. */
interface ActCost { readonly serviceMs: number; readonly databaseMs: number }

function costOf({ serviceMs, databaseMs }: ActCost): string {
  return `CPU of an act ${serviceMs.toFixed(2)} ms in the service, ${databaseMs.toFixed(2)} ms in the database`;
}

async function serviceRun(lab: ReferralLab): Promise<{ service: number; p99Ms: number; cpu: ActCost }> {
  const first = await lab.seed(servicePerSecond * ((warmUpMs + measureMs) / 1_000));
  const cpuMs = (pid: number): number => (canReadProcesses ? cpuSecondsWithChildren(pid) * 1_000 : Number.NaN);
  const pids = [lab.service.pid!, lab.network.postgres.pid] as const;
  const before = pids.map(cpuMs);
  const load = await lab.answer('acceptance', first, { connections, warmUpMs, measureMs });
  const acts = load.nextReferral - first;
  const [serviceMs, databaseMs] = pids.map((pid, index) => (cpuMs(pid) - before[index]!) / acts) as [number, number];
  return { service: load.done / load.seconds, p99Ms: percentile(load.latenciesMs, 0.99), cpu: { serviceMs, databaseMs } };
}

/** Transactions a second, each of which has really accepted a referral. */
async function referenceRun(lab: ReferralLab, script: string): Promise<number> {
  const { network } = lab;
  const seconds = (warmUpMs + measureMs) / 1_000;
  const share = Math.ceil((pgbenchPerSecond * seconds) / connections);
  const first = await lab.seed(share * connections + connections);
  const accepted = async (): Promise<number> => Number((await network.query('referral', 'SELECT count(*) FROM referral_board WHERE status = \'accepted\''))[0]!.count);
  const before = await accepted();
  const { perSecond, latenciesMs } = await runPgbench({
    adminUrl: network.adminUrl('referral'), session: network.session, script, clients: connections, seconds, variables: { n: 0, first: first - 1, share },
  });
  if (await accepted() - before !== latenciesMs.length) throw new Error('pgbench has not accepted one referral in each transaction');
  return perSecond;
}
