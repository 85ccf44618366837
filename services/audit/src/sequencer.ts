import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { Log, type StartSlice } from '@amana/service';
import { Ledger } from './ledger.ts';
import { Witnesses } from './witnesses.ts';

const lookEveryMs = 250;
/** At most: the cadence itself tells how busy the network is. */
const witnessEveryMs = 3_600_000;
/** While a witness contradicts us, it is asked again this often: an operator is at work. */
const refuseForMs = 60_000;
const afterFailureMs = 1_000;
/** Failures in a row after which somebody should look: entries wait without a place. */
const tellAfterFailures = 5;

/** Gives entries their places in the log as they come; any number of replicas may run it, one at a time does the work. */
@Injectable()
export class Sequencer implements StartSlice, OnModuleDestroy {
  readonly #ledger: Ledger;
  readonly #witnesses: Witnesses;
  readonly #log: Log;
  readonly #end = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, witnesses: Witnesses, @Inject(Log) log: Log) {
    this.#ledger = ledger;
    this.#witnesses = witnesses;
    this.#log = log;
  }

  onStart(): Promise<void> {
    this.#running = this.#run();
    return Promise.resolve();
  }

  async onModuleDestroy(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    await this.#untilNobodyContradicts();
    for (let [failures, witnessAtMs] = [0, Date.now()]; !signal.aborted;) {
      try {
        if (Date.now() >= witnessAtMs) {
          witnessAtMs = Date.now() + witnessEveryMs;
          await this.#witness();
        }
        const placed = await this.#ledger.waits() ? await this.#ledger.sequence() : 0;
        failures = 0;
        if (placed > 0) continue;
      } catch (error) {
        failures += 1;
        if (failures % tellAfterFailures === 0) this.#log.logger.error('ledger-stalled', { error: error as Error });
      }
      await this.#rest(failures === 0 ? lookEveryMs : afterFailureMs);
    }
  }

  /** A restored backup would sign a second history: below what a witness shows of ours, nothing is signed. */
  async #untilNobodyContradicts(): Promise<void> {
    while (!this.#end.signal.aborted && this.#witnesses.count > 0) {
      const reason = await this.#witnesses.contradiction().catch(() => 'not-known' as const);
      if (reason === undefined) return;
      if (reason !== 'not-known') this.#log.logger.error('ledger-refuses-to-sign', { reason });
      await this.#rest(reason === 'not-known' ? afterFailureMs : refuseForMs);
    }
  }

  async #witness(): Promise<void> {
    if (this.#witnesses.count === 0) return;
    const signed = await this.#witnesses.collect();
    if (signed * 3 < this.#witnesses.count * 2) this.#log.logger.error('ledger-quorum-missed', { count: signed });
  }

  async #rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#end.signal }).catch(() => {});
  }
}
