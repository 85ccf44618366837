import { parseArgs } from 'node:util';
import { Campaign, type RunResult } from './campaign.ts';
import { type Plant, plants } from './plants/plants.ts';
import { checkedOf, detailsOf, headOf, rowOf, totalsOf } from './report.ts';
import { seedOfRun } from './seeded.ts';

const usage = `npm run faults -- --runs N --seed S [options]
  --runs N       how many runs, one after the other on one network (default 3)
  --seed S       the campaign's seed; the first run takes it as its own, so a failing run replays with --runs 1 --seed <its seed>.
                 A seed fixes the plan of load and faults. How real processes interleave is theirs, and differs each time.
  --bus BUS      kafka (default) or postgres
  --plant NAME   puts a bug in first, which the checker must catch: ${plants.map((plant) => plant.name).join(', ')}
  --seconds N    load and faults of each run (default 7)
  --gentle       no replica is killed, only broker, database and sessions: shorter runs
  --json         one JSON line per run and one for all, on standard output
  --keep         the state folder, with journal and logs, stays`;

const recoverWithinMs = 60_000;

interface Arguments {
  readonly runs: number;
  readonly seed: number;
  readonly bus: 'kafka' | 'postgres';
  readonly plant: Plant | undefined;
  readonly lengthMs: number;
  readonly gentle: boolean;
  readonly json: boolean;
  readonly keep: boolean;
}

/** The fault campaign: kills what a network stands on while it works, and judges what is left. */
async function main(): Promise<void> {
  const wanted = readArguments();
  if (!wanted) { console.log(usage); return; }
  const results: RunResult[] = [];
  const startedAtMs = Date.now();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(1);
      interrupted.abort();
      process.stderr.write('Stopping after this run; once more to stop at once\n');
    });
  }
  if (!wanted.json) console.log(headOf());
  let campaign: Campaign | undefined;
  try {
    for (let run = 0; run < wanted.runs && !interrupted.signal.aborted; run += 1) {
      if (!campaign) {
        campaign = await Campaign.start({ ...wanted, recoverWithinMs, onProgress: (line) => process.stderr.write(`[${((Date.now() - startedAtMs) / 1000).toFixed(0)} s] ${line}\n`) });
        await wanted.plant?.install(campaign.network);
      }
      const result = await campaign.play({ ...wanted, run, seed: seedOfRun(wanted.seed, run) });
      results.push(result);
      report(result, wanted);
      if (result.violations.length === 0) continue;
      // What one run has broken would be found again by every later one: they begin on a network of their own.
      await campaign.stop();
      campaign = undefined;
    }
  } finally {
    await campaign?.stop();
  }
  process.exitCode = conclude(results, wanted) && !interrupted.signal.aborted ? 0 : 1;
}

function report(result: RunResult, { json }: Arguments): void {
  if (json) {
    console.log(JSON.stringify(result));
    return;
  }
  console.log(rowOf(result));
  for (const line of detailsOf(result)) console.log(line);
  if (result.violations.length > 0 && !result.plant) console.log(`  replay: npm run faults -- --runs 1 --seed ${result.seed}`);
}

/** Whether it went as it should: nothing found, or with a planted bug that bug found in every run. */
function conclude(results: readonly RunResult[], { plant, json }: Arguments): boolean {
  const caught = results.filter((result) => result.violations.some((violation) => plant?.caughtBy.includes(violation.check)));
  const failed = results.filter((result) => result.violations.length > 0);
  const well = plant ? caught.length === results.length : failed.length === 0;
  if (json) {
    console.log(JSON.stringify({ runs: results.length, plant: plant?.name, caught: plant ? caught.length : undefined, failedSeeds: plant ? [] : failed.map((result) => result.seed), well }));
    return well;
  }
  console.log(totalsOf(results));
  const last = results.at(-1);
  if (last) console.log(checkedOf(last));
  if (plant) console.log(`${plant.name} (${plant.bug}): caught in ${caught.length} of ${results.length} runs`);
  else console.log(failed.length === 0 ? `${results.length} runs, nothing lost, nothing doubled` : `failing seeds: ${failed.map((result) => result.seed).join(', ')}`);
  return well;
}

function readArguments(): Arguments | undefined {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '3' }, seed: { type: 'string', default: '1' }, bus: { type: 'string', default: 'kafka' }, plant: { type: 'string' }, seconds: { type: 'string', default: '7' },
      gentle: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const whole = (name: 'runs' | 'seed' | 'seconds', least: number): number => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < least) throw new Error(`--${name} is a whole number of at least ${least}`);
    return number;
  };
  const { bus } = values;
  if (bus !== 'kafka' && bus !== 'postgres') throw new Error('--bus is kafka or postgres');
  const plant = plants.find((known) => known.name === values.plant);
  if (plant?.needsBroker && bus === 'postgres') throw new Error(`--plant ${plant.name} needs a broker`);
  if (values.plant !== undefined && !plant) throw new Error(`--plant is one of ${plants.map((known) => known.name).join(', ')}`);
  return { runs: whole('runs', 1), seed: whole('seed', 0), bus, plant, lengthMs: whole('seconds', 3) * 1_000, gentle: values.gentle, json: values.json, keep: values.keep };
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
// A process that a failed start left behind holds a channel to this one, and ends with it.
process.exit();
