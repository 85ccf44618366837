import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Patience } from './caller.ts';
import { Chaos, planFaults } from './chaos.ts';
import { judge, sizeOf, type Violation } from './checker/checker.ts';
import { takeDump } from './checker/dump.ts';
import { drain, type Drained } from './drain.ts';
import { Journal } from './journal.ts';
import { Load } from './load.ts';
import { FaultNetwork } from './network.ts';
import type { Plant } from './plants/plants.ts';
import { injectPoison, settleDead, widenTopic } from './poison.ts';
import { Seeded } from './seeded.ts';

export interface CampaignOptions {
  readonly bus: 'kafka' | 'postgres';
  /** Load and faults go on so long in each run. */
  readonly lengthMs: number;
  /** So soon after the last fault nothing may be under way any more. */
  readonly recoverWithinMs: number;
  /** The state folder, logs and journal included, stays after the campaign. */
  readonly keep: boolean;
  readonly onProgress: (line: string) => void;
}

export interface RunOptions {
  readonly run: number;
  readonly seed: number;
  /** A bug that was put in before: it is provoked after the load. */
  readonly plant?: Plant | undefined;
  /** Without killed replicas, whose consumer groups stand still until a dead member's session has ended: a much shorter run. */
  readonly gentle?: boolean;
}

export interface RunResult {
  readonly run: number;
  readonly seed: number;
  readonly plant: string | undefined;
  readonly faults: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly retried: number;
  /** Answers of 500, each tried again under the same key. */
  readonly serverErrors: number;
  /** Replicas that ended by themselves. */
  readonly unexpectedEnds: number;
  /** From the last fault until nothing was under way any more; undefined when that did not come in time. */
  readonly recoveredMs: number | undefined;
  /** What the checker looked at, all runs of this network together. */
  readonly checked: ReturnType<typeof sizeOf>;
  readonly violations: readonly Violation[];
}

const lastAnswersWithinMs = 20_000;
/** Even when recovery is late already: what is left shall be named. */
const leastDrainMs = 5_000;
/** After the operator, and after a planted bug was provoked. */
const settleWithinMs = 30_000;

/** One network and the runs on it. What one run leaves behind, the next one finds; the checker judges all of it each time. */
export class Campaign {
  readonly network: FaultNetwork;
  readonly stateDir: string;
  readonly #options: CampaignOptions;
  readonly #journal: Journal;
  readonly #load: Load;
  readonly #services: readonly string[];

  private constructor(options: CampaignOptions, made: { network: FaultNetwork; stateDir: string; journal: Journal; load: Load }) {
    this.#options = options;
    this.network = made.network;
    this.stateDir = made.stateDir;
    this.#journal = made.journal;
    this.#load = made.load;
    this.#services = [...new Set(made.network.slots.map((slot) => slot.service))];
  }

  /** Starts a network of its own in a folder of its own. */
  static async start(options: CampaignOptions): Promise<Campaign> {
    const stateDir = mkdtempSync(join(tmpdir(), 'amana-faults-'));
    // Also when the process is made to end in the middle of a run; the engines end with it.
    if (!options.keep) process.once('exit', () => rmSync(stateDir, { recursive: true, force: true }));
    let network: FaultNetwork | undefined;
    try {
      network = await FaultNetwork.start({ stateDir, bus: options.bus, onProgress: options.onProgress });
      const journal = new Journal(join(stateDir, 'journal.jsonl'));
      const load = await Load.prepare(network, journal);
      if (network.stack.brokers) await widenTopic(network.stack.brokers);
      return new Campaign(options, { network, stateDir, journal, load });
    } catch (error) {
      await network?.stop();
      if (!options.keep) rmSync(stateDir, { recursive: true, force: true });
      throw error;
    }
  }

  /** Load and faults at once, then rest, then judgement. Throws only when the network itself cannot be handled. */
  async play({ run, seed, plant, gentle = false }: RunOptions): Promise<RunResult> {
    const rng = new Seeded(seed);
    const patience: Patience = { giveUpAtMs: Number.POSITIVE_INFINITY, serverErrors: 0 };
    const before = { entries: this.#journal.entries.length, ends: this.network.unexpectedEnds };
    const tell = (line: string): void => this.#options.onProgress(`run ${run + 1}, seed ${seed}: ${line}`);
    const chaos = new Chaos(this.network, tell);
    await chaos.markStart();
    const plan = planFaults(rng.fork('faults'), { lengthMs: this.#options.lengthMs, broker: this.network.stack.kafka !== undefined, gentle });
    const over = new AbortController();
    const load = { run, rng: rng.fork('load'), patience, over: over.signal };
    await this.#load.openHouses(load);
    const played = this.#load.play(load);
    // Awaited below; unheard it must not end the process, should the faults fail first.
    played.catch(() => undefined);
    try {
      await Promise.all([chaos.carryOut(plan), this.#poison(run, rng.fork('poison'), patience), delay(this.#options.lengthMs)]);
    } finally {
      over.abort();
      patience.giveUpAtMs = Date.now() + lastAnswersWithinMs;
    }
    await this.network.heal();
    await played;
    tell('all is up again, waiting until nothing is under way');
    // A planted bug may keep something under way for ever; that is not what is looked for then.
    const recoverWithinMs = plant ? settleWithinMs : this.#options.recoverWithinMs;
    const drained = await this.#drain(Math.max(leastDrainMs, chaos.lastEndedAtMs + recoverWithinMs - Date.now()));
    const recoveredMs = drained.tookMs === undefined ? undefined : Date.now() - chaos.lastEndedAtMs;
    const late = recoveredMs !== undefined && recoveredMs > recoverWithinMs ? [`only after ${Math.round(recoveredMs / 1000)} s`] : [];
    tell('the operator looks after the dead messages');
    patience.giveUpAtMs = Date.now() + settleWithinMs;
    if (plant?.provoke) {
      await plant.provoke({ chaos, rush: () => this.#load.rush({ ...load, rng: rng.fork('provoked') }) });
      await this.#drain(settleWithinMs);
    }
    const wrong = await this.#askOperator(run, patience);
    tell('the checker reads and judges');
    const dump = await takeDump({ adminUrl: this.network.stack.adminUrl, brokers: this.network.stack.brokers, services: this.#services, journal: this.#journal.entries });
    const commands = this.#journal.entries.slice(before.entries).filter((entry) => entry.kind === 'command');
    const count = (outcome: string): number => commands.filter((entry) => entry.outcome === outcome).length;
    return {
      run: run + 1, seed, plant: plant?.name, faults: plan.length, acknowledged: count('acknowledged'), refused: count('refused'), unanswered: count('unanswered'),
      retried: commands.filter((entry) => entry.attempts > 1).length, serverErrors: patience.serverErrors, unexpectedEnds: this.network.unexpectedEnds - before.ends, recoveredMs, checked: sizeOf(dump),
      violations: [...[...late, ...drained.left].map((left): Violation => ({ check: 'not-recovered', what: left })), ...wrong, ...judge(dump)],
    };
  }

  /** Ends every process and removes what they left. */
  async stop(): Promise<void> {
    await this.#load.close();
    await this.network.stop();
    if (this.#options.keep) this.#options.onProgress(`logs and journal are in ${this.stateDir}`);
    else rmSync(this.stateDir, { recursive: true, force: true });
  }

  async #poison(run: number, rng: Seeded, patience: Patience): Promise<void> {
    await delay(this.#options.lengthMs * 0.25);
    const { brokers } = this.network.stack;
    if (brokers) await injectPoison({ brokers, journal: this.#journal, run, rng, patience });
  }

  /** The operator looks after the dead messages; then nothing may be under way. */
  async #askOperator(run: number, patience: Patience): Promise<Violation[]> {
    const wrong = await settleDead({ operator: this.#load.caller('operator-system', { run, patience }), services: this.#services, journal: this.#journal, run });
    const { left } = await this.#drain(settleWithinMs);
    return [...wrong, ...left.map((what): Violation => ({ check: 'not-recovered', what: `after the operator: ${what}` }))];
  }

  #drain(withinMs: number): Promise<Drained> {
    return drain({ adminUrl: this.network.stack.adminUrl, brokers: this.network.stack.brokers, services: this.#services, withinMs });
  }
}
