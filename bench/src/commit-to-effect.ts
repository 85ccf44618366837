import type { Benchmark, Session } from './benchmark.ts';
import { EffectLab, eventsPerSecond } from './effect-lab.ts';
import { endToEndLatency } from './end-to-end.ts';
import { type Bar, type Figure, skippedFigure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { findPostgresProgram, runPgbench, withoutPgbench } from './pgbench.ts';
import { median, percentile } from './statistics.ts';

const bar: Bar = { of: 'ratio', atMost: 3 };
const reference = 'Kafka\'s EndToEndLatency + two pgbench commits at the same pace';
const shares = [['commit-to-effect-p50', 0.5], ['commit-to-effect-p99', 0.99]] as const;
const seconds = 30;
const commitSeconds = 15;

/** One commit of a row of an event's size, in a table of its own beside the services'. */
const commitTable = 'CREATE TABLE IF NOT EXISTS bench_commit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data text NOT NULL)';
const commitScript = `BEGIN;\nINSERT INTO bench_commit (data) VALUES ('${'x'.repeat(1_500)}');\nCOMMIT;`;

/** From the commit in one service to the committed effect in another, over Kafka, at 50 events a second. */
export const commitToEffect: Benchmark = {
  name: 'commit-to-effect',
  async measure(session: Session): Promise<Figure[]> {
    const missing = Network.withoutKafka() ?? (findPostgresProgram('pgbench') ? undefined : withoutPgbench);
    if (missing !== undefined) return shares.map(([name]) => skippedFigure({ name, unit: 'ms', reference, bar }, missing));
    const lab = await EffectLab.open(session);
    await lab.network.query('referral', commitTable);
    const values: [number[], number[]] = [[], []];
    const references: [number[], number[]] = [[], []];
    for (let run = 1; run <= session.runs; run += 1) {
      const delays = await lab.run(seconds);
      const commits = await commitLatencies(lab.network);
      const kafka = await endToEndLatency(session, lab.network.kafka!.brokers);
      shares.forEach(([, share], index) => {
        values[index]!.push(percentile(delays, share));
        references[index]!.push((index === 0 ? kafka.p50Ms : kafka.p99Ms) + 2 * percentile(commits, share));
      });
      session.tell(`Run ${run}: p50 ${values[0].at(-1)!.toFixed(1)} ms, p99 ${values[1].at(-1)!.toFixed(1)} ms of ${delays.length} events; beside ${references[0].at(-1)!.toFixed(1)} and ${references[1].at(-1)!.toFixed(1)} ms.`);
    }
    return shares.map(([name], index) => toFigure({
      name, unit: 'ms', reference, bar, value: median(values[index]!), referenceValue: median(references[index]!), note: `${eventsPerSecond} events/s for ${seconds} s a run`,
    }));
  },
};

async function commitLatencies(network: Network): Promise<readonly number[]> {
  const { latenciesMs } = await runPgbench({
    adminUrl: network.adminUrl('referral'), session: network.session, script: commitScript, clients: 1, seconds: commitSeconds, rate: eventsPerSecond,
  });
  return latenciesMs;
}
