import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { Log, type StartSlice } from '@amana/service';
import { Ledger } from './ledger.ts';
import { Witnesses } from './witnesses.ts';

const lookEveryMs = 250;
/** At most: the cadence itself tells how busy the network is. */
const witnessEveryMs = 3_600_000;
/** A witness that was away is asked again so soon. */
const witnessLookEveryMs = 60_000;
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

  /** Apart from one another: a witness that is slow holds up no entry. */
  async #run(): Promise<void> {
    await this.#untilNobodyContradicts();
    await Promise.all([this.#repeat('ledger-stalled', lookEveryMs, () => this.#sequence()), this.#repeat('ledger-witness-failed', witnessLookEveryMs, () => this.#witness())]);
  }

  async #repeat(trouble: 'ledger-stalled' | 'ledger-witness-failed', everyMs: number, work: () => Promise<void>): Promise<void> {
    for (let failures = 0; !this.#end.signal.aborted;) {
      try {
        await work();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures % tellAfterFailures === 0) this.#log.logger.error(trouble, { error: error as Error });
      }
      await this.#rest(failures === 0 ? everyMs : Math.max(everyMs, afterFailureMs));
    }
  }

  async #sequence(): Promise<void> {
    while (!this.#end.signal.aborted && await this.#ledger.waits()) if (await this.#ledger.sequence() === 0) return;
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
    if (this.#witnesses.count === 0 || !await this.#witnesses.due(witnessEveryMs)) return;
    const signed = await this.#witnesses.collect();
    if (signed * 3 < this.#witnesses.count * 2) this.#log.logger.error('ledger-quorum-missed', { count: signed });
  }

  async #rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#end.signal }).catch(() => {});
  }
}
