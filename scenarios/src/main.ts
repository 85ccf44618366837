import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seedDirectory, Stack } from '@amana/local';
import { NetworkClient } from './network-client.ts';
import { play, type PlayedStep } from './play.ts';
import { readStory, World } from './story.ts';

const usage = `npm run scenario -- NAME [--bus kafka|postgres] [--replicas N] [--own] [--json]
  NAME        alice
  --bus       start a network of its own on this bus (otherwise the running sandbox is used, or one is started)
  --replicas  processes per service of that network; without it all services run in one process
  --json      one JSON line per step`;

/** Plays one story against the running sandbox, or against a network of its own that is gone afterwards. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { bus: { type: 'string' }, replicas: { type: 'string' }, own: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  const [name] = positionals;
  if (values.help || !name) { console.log(usage); return; }
  const file = resolve(import.meta.dirname, '../data', name, 'story.json');
  const { story, person } = await readStory(file).catch((error: NodeJS.ErrnoException) => { throw error.code === 'ENOENT' ? new Error(`There is no story called ${name}. ${usage}`) : error; });
  const running = values.bus || values.own || values.replicas ? undefined : runningSandbox();
  const network = running ?? await ownNetwork(values.bus ?? 'auto', Number(values.replicas ?? 0));
  try {
    const world = new World({ story, person, network: new NetworkClient(network), now: await businessNow(network.baseUrl) });
    if (!values.json) console.log(`${story.story}\n`);
    const steps = await play(world, (step) => console.log(values.json ? JSON.stringify(step) : tell(step)));
    if (!values.json) console.log(`\n${steps.length} steps, every one as told.`);
  } finally {
    await network.stop();
  }
}

interface Network { readonly baseUrl: string; readonly issuerUrl: string; readonly stateDir: string; stop(): Promise<void> }

/** The sandbox of `npm start`, if it is up. */
function runningSandbox(): Network | undefined {
  const stateDir = process.env.AMANA_STATE_DIR ?? resolve('.amana/sandbox');
  try {
    const { url, issuerUrl, pid } = JSON.parse(readFileSync(join(stateDir, 'running.json'), 'utf8')) as { url: string; issuerUrl: string; pid: number };
    process.kill(pid, 0);
    return { baseUrl: url, issuerUrl, stateDir, stop: () => Promise.resolve() };
  } catch {
    return undefined;
  }
}

async function ownNetwork(bus: string, replicas: number): Promise<Network> {
  if (bus !== 'auto' && bus !== 'kafka' && bus !== 'postgres') throw new Error(`The bus is kafka or postgres, not ${bus}`);
  const stateDir = mkdtempSync(join(tmpdir(), 'amana-scenario-'));
  const stack = await Stack.start({ stateDir, bus, replicas, durable: false, onProgress: (line) => console.error(`  ${line}`), given: { adminUrl: undefined, brokers: process.env.KAFKA_BROKERS } });
  await seedDirectory(stack, { startsAt: new Date() });
  return { baseUrl: stack.url, issuerUrl: stack.issuer.url, stateDir, stop: async () => { await stack.stop(); rmSync(stateDir, { recursive: true, force: true }); } };
}

async function businessNow(baseUrl: string): Promise<Date> {
  return new Date(((await (await fetch(`${baseUrl}/sandbox/clock`)).json()) as { now: string }).now);
}

function tell(step: PlayedStep): string {
  const day = `day ${String(step.day).padStart(3)} ${step.at.slice(11, 16)}Z`;
  return [`${day}  ${step.actor} (${step.organisation}): ${step.tell}`, ...step.seen.map((line) => `                -> ${line}`)].join('\n');
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
