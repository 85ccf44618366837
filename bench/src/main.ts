import { parseArgs } from 'node:util';
import { acceptOverHttp } from './accept-over-http.ts';
import { type Benchmark, Session } from './benchmark.ts';
import { commitToEffectWithOpenWriter } from './commit-to-effect-with-open-writer.ts';
import { commitToEffect } from './commit-to-effect.ts';
import { type Figure, tableOf } from './figure.ts';
import { idle } from './idle.ts';
import { ledgerSequence } from './ledger-sequence.ts';
import { ledgerVerify } from './ledger-verify.ts';
import { pollGrowth } from './poll-growth.ts';
import { relayDrain } from './relay-drain.ts';

const benchmarks: readonly Benchmark[] = [acceptOverHttp, commitToEffect, commitToEffectWithOpenWriter, relayDrain, pollGrowth, idle, ledgerSequence, ledgerVerify];
const maxRuns = 25;
/** Figures hold only on a machine that does nothing else meanwhile; the last line of the usage is for whoever looks for the cause of a missed bar. */
const usage = `npm run bench -- [NAME ...] [--json] [--runs N]
Measures each figure and its reference in the same run. Without a name: all of them, about a quarter of an hour.
Names: ${benchmarks.map(({ name }) => name).join(', ')}
Node options for the measured services: AMANA_BENCH_NODE_OPTIONS, such as --cpu-prof --cpu-prof-dir=FOLDER`;

const tell = (line: string): void => { process.stderr.write(`${line}\n`); };

/** Runs one benchmark and stops everything it started, also when somebody ends the program meanwhile. */
async function run(benchmark: Benchmark, runs: number): Promise<Figure[]> {
  const session = new Session({ runs, tell: (line) => tell(`${benchmark.name}: ${line}`) });
  const stop = (signal: NodeJS.Signals): void => { void session.end().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)); };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    return await benchmark.measure(session);
  } finally {
    await session.end();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '3' }, help: { type: 'boolean', default: false } } });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const runs = Number(values.runs);
  const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1 || runs > maxRuns) throw new Error(usage);
  const figures: Figure[] = [];
  for (const benchmark of benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    try {
      const measured = await run(benchmark, runs);
      figures.push(...measured);
      if (values.json) for (const figure of measured) process.stdout.write(`${JSON.stringify(figure)}\n`);
    } catch (error) {
      // The other figures do not depend on it.
      tell(`${benchmark.name} broke off: ${messageOf(error)}`);
      process.exitCode = 1;
    }
  }
  if (!values.json) process.stdout.write(`${tableOf(figures)}\n`);
  // A missed bar is a finding, not a failure of the program: it is told, and the exit code stays 0.
  for (const { name, bar, met, note } of figures) {
    if (met === false) tell(`${name} misses its bar (${bar}).`);
    if (met === null) tell(`${name} was not measured: ${note ?? ''}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  await main();
} catch (error) {
  tell(messageOf(error));
  process.exitCode = 1;
}
