import { eventually } from '@amana/testing';
import type { Benchmark, Session } from './benchmark.ts';
import { appendEvents, CursorRun } from './cursor-run.ts';
import { type Bar, type Figure, toFigure } from './figure.ts';
import { Network } from './network.ts';
import { median } from './statistics.ts';

const bar: Bar = { of: 'ratio', atMost: 1.1 };
const [few, many] = [10_000, 1_000_000];
const pollsPerTurn = 1_000;
/** Small and large take turns, so that whatever else the machine does meets both. */
const turnsPerRun = 5;
const drainWithinMs = 300_000;

/**
 * What an empty poll costs the relay, question to answer, with few and with many stored events. Each cursor was opened on
 * an empty log and has followed it ever since: its plan was made when there was nothing to plan by.
 */
export const pollGrowth: Benchmark = {
  name: 'poll-growth',
  async measure(session: Session): Promise<Figure[]> {
    const network = await Network.start(session);
    await network.prepare('intake', 'referral');
    const [small, large] = [new PolledLog(session, network, 'intake'), new PolledLog(session, network, 'referral')];
    await Promise.all([small.settle(0), large.settle(0)]);
    session.tell(`Writing ${few + many} events.`);
    await small.grow(few);
    await large.grow(many);
    const [values, references]: [number[], number[]] = [[], []];
    for (let run = 1; run <= session.runs; run += 1) {
      const [ofLarge, ofSmall]: [number[], number[]] = [[], []];
      for (let turn = 0; turn < turnsPerRun; turn += 1) {
        ofSmall.push(...await small.pollMs());
        ofLarge.push(...await large.pollMs());
      }
      values.push(median(ofLarge));
      references.push(median(ofSmall));
      session.tell(`Run ${run}: ${values.at(-1)!.toFixed(3)} ms with ${many} events, ${references.at(-1)!.toFixed(3)} ms with ${few}.`);
    }
    small.check();
    large.check();
    return [toFigure({
      name: 'poll-growth', unit: 'ms', reference: `the same poll with ${few} events stored instead of ${many}`, bar, value: median(values), referenceValue: median(references),
      note: `medians of ${turnsPerRun * pollsPerTurn} polls a run`,
    })];
  },
};

/** A log with a cursor that follows it, and can be made to poll again at once. */
class PolledLog {
  readonly #network: Network;
  readonly #database: 'intake' | 'referral';
  readonly #run: CursorRun;
  #lastMs = 0;
  #times: number[] | undefined;

  constructor(session: Session, network: Network, database: 'intake' | 'referral') {
    this.#network = network;
    this.#database = database;
    this.#run = new CursorRun(session, network.urls.get(database)!.relayUrl, {
      subscriber: 'bench',
      beforePoll: () => {
        const nowMs = performance.now();
        if (this.#times && this.#lastMs > 0) this.#times.push(nowMs - this.#lastMs);
        this.#lastMs = this.#times ? nowMs : 0;
        // During the poll that follows: the one after it then comes without a pause.
        if (this.#times) setImmediate(() => this.#run.cursor.poke());
        return Promise.resolve();
      },
    });
    this.#run.start();
  }

  check(): void {
    this.#run.check();
  }

  async grow(count: number): Promise<void> {
    await appendEvents(this.#network, this.#database, count);
    await this.settle(count);
  }

  /** Resolves when everything stored has been handed on and the cursor's own place is saved. */
  async settle(count: number): Promise<void> {
    await eventually(async () => {
      const saved = await this.#network.query(this.#database, 'SELECT 1 FROM relay_state WHERE subscriber = \'bench\'');
      return saved.length > 0 && this.#run.cursor.delivered === count;
    }, { withinMs: drainWithinMs, what: 'the events to be handed on' });
  }

  /** How long each of a thousand empty polls took, back to back. */
  async pollMs(): Promise<number[]> {
    this.#times = [];
    this.#run.cursor.poke();
    const times = await eventually(() => Promise.resolve(this.#times!.length >= pollsPerTurn && this.#times), { withinMs: drainWithinMs });
    this.#times = undefined;
    return times;
  }
}
