import pg from 'pg';
import type { Benchmark, Session } from './benchmark.ts';
import { EffectLab } from './effect-lab.ts';
import { type Bar, type Figure, skippedFigure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { median, percentile } from './statistics.ts';

const bar: Bar = { of: 'ratio', atMost: 2 };
const figure = { name: 'commit-to-effect-with-open-writer', unit: 'ms', reference: 'p99 of the run just before, without the writer', bar };
const seconds = 30;

/** The same way of an event while an unrelated transaction, opened before the run, stays open over all of it: nobody may wait for it. */
export const commitToEffectWithOpenWriter: Benchmark = {
  name: 'commit-to-effect-with-open-writer',
  async measure(session: Session): Promise<Figure[]> {
    const missing = Network.withoutKafka();
    if (missing !== undefined) return [skippedFigure(figure, missing)];
    const lab = await EffectLab.open(session);
    await lab.network.query('referral', 'CREATE TABLE bench_unrelated (note text)');
    const [values, references]: [number[], number[]] = [[], []];
    for (let run = 1; run <= session.runs; run += 1) {
      references.push(percentile(await lab.run(seconds), 0.99));
      values.push(await withOpenWriter(lab.network, async () => percentile(await lab.run(seconds), 0.99)));
      session.tell(`Run ${run}: p99 ${values.at(-1)!.toFixed(1)} ms with the writer, ${references.at(-1)!.toFixed(1)} ms before.`);
    }
    return [toFigure({ ...figure, value: median(values), referenceValue: median(references) })];
  },
};

/** Keeps one transaction open that has written in the sender's database, while `work` runs. */
async function withOpenWriter<T>(network: Network, work: () => Promise<T>): Promise<T> {
  const writer = new pg.Client({ connectionString: network.adminUrl('referral') });
  await writer.connect();
  try {
    await writer.query('BEGIN');
    await writer.query('INSERT INTO bench_unrelated VALUES (\'open\')');
    const result = await work();
    await writer.query('ROLLBACK');
    return result;
  } finally {
    await writer.end();
  }
}
