import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { type Replica, seedDirectory, Stack, startProcess } from '@amana/local';

export type Service = Replica['service'];

/** One place for a replica: whoever runs there has the same port, so that the router finds it again. */
export interface Slot {
  readonly service: Service;
  readonly copy: number;
  readonly port: number;
  /** Undefined while nobody runs there. */
  replica: Replica | undefined;
  /** A fault keeps it down: not to be revived yet. */
  heldDown: boolean;
}

export interface NetworkOptions {
  readonly stateDir: string;
  readonly bus: 'kafka' | 'postgres';
  readonly onProgress: (line: string) => void;
}

const replicasOfEach = 2;
/** A start that waits for its consumer group waits for the sessions of members that were killed before it, too. */
const reviveWithinMs = 150_000;
const superviseEveryMs = 1_000;
const probeTimeoutMs = 3_000;
/** Probes in a row that fail before a replica is taken for dead: under load and faults one may be late. */
const failedProbes = 5;

/** The network under test: real processes, a real broker and a real database, each of which can be killed. */
export class FaultNetwork {
  readonly stack: Stack;
  readonly slots: readonly Slot[];
  /** Replicas that ended or stopped living without having been killed, and were started anew. */
  unexpectedEnds = 0;
  /** Added to the environment of replicas that start from now on, by service: how a planted bug gets in. */
  readonly extraEnv = new Map<Service, NodeJS.ProcessEnv>();
  readonly #reviving = new Map<Slot, Promise<void>>();
  readonly #supervised: Promise<void>;
  #running = true;
  #enginesDown = 0;

  private constructor(stack: Stack) {
    this.stack = stack;
    const copies = new Map<Service, number>();
    this.slots = stack.replicas.map((replica) => {
      const copy = (copies.get(replica.service) ?? 0) + 1;
      copies.set(replica.service, copy);
      return { service: replica.service, copy, port: Number(new URL(replica.url).port), replica, heldDown: false };
    });
    this.#supervised = this.#supervise();
  }

  /** Two replicas of each service, each a process of its own, with the directory listed. */
  static async start({ stateDir, bus, onProgress }: NetworkOptions): Promise<FaultNetwork> {
    // Not flushed to the disk: only the machine's own crash would tell the difference, and here processes are killed. Every
    // acknowledged commit is in the kernel's hands by then; flushing 2,600 files after each kill would take half of a run.
    const stack = await Stack.start({ stateDir, bus, replicas: replicasOfEach, durable: false, logLevel: 'error', onProgress });
    try {
      await seedDirectory(stack, { startsAt: new Date() });
      return new FaultNetwork(stack);
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  slotsOf(service: Service): Slot[] {
    return this.slots.filter((slot) => slot.service === service);
  }

  /** SIGKILL, and nobody there until `revive`. */
  async kill(slot: Slot): Promise<void> {
    slot.heldDown = true;
    await this.#reviving.get(slot);
    const { replica } = slot;
    slot.replica = undefined;
    await replica?.kill();
  }

  /** Starts a replica in its place again, as often as it takes. Throws when none is ready after 150 s. */
  async revive(slot: Slot): Promise<void> {
    slot.heldDown = false;
    const under = this.#reviving.get(slot) ?? this.#start(slot).finally(() => this.#reviving.delete(slot));
    this.#reviving.set(slot, under);
    await under;
  }

  /** SIGKILL of the broker or the database server, which is let start again after `downMs`; resolves when it serves. */
  async bounce(engine: 'broker' | 'postgres', downMs: number, onEnded: () => void): Promise<void> {
    const target = engine === 'broker' ? this.stack.kafka : this.stack.postgres;
    if (!target) return;
    this.#enginesDown += 1;
    try {
      await target.kill();
      await delay(downMs);
      onEnded();
      await target.restart();
    } finally {
      this.#enginesDown -= 1;
    }
  }

  /** Everybody up again: replicas that are down are started, and all are ready to serve. */
  async heal(): Promise<void> {
    const deadlineMs = Date.now() + reviveWithinMs;
    await Promise.all(this.slots.map((slot) => this.revive(slot)));
    for (;;) {
      const ready = await Promise.all(this.slots.map((slot) => probe(slot, 'ready')));
      if (ready.every(Boolean)) return;
      if (Date.now() > deadlineMs) throw new Error(`Not ready after the faults ended: ${this.slots.filter((_, at) => !ready[at]).map((slot) => `${slot.service}-${slot.copy}`).join(', ')}`);
      await delay(100);
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#supervised;
    await Promise.allSettled(this.#reviving.values());
    this.stack.replicas.splice(0, this.stack.replicas.length, ...this.slots.flatMap((slot) => slot.replica ?? []));
    // Nothing here is kept: an orderly end of every process would only take longer.
    await Promise.all(this.slots.flatMap((slot) => (slot.replica ? [slot.replica.kill()] : [])));
    await this.stack.stop();
  }

  async #start(slot: Slot): Promise<void> {
    if (slot.replica) return;
    const deadlineMs = Date.now() + reviveWithinMs;
    for (;;) {
      try {
        slot.replica = await startProcess(this.stack.settingsOf(slot.service, slot.port), {
          logDir: join(this.stack.options.stateDir, 'logs'), name: `${slot.service}-${slot.copy}`, env: this.extraEnv.get(slot.service) ?? {},
        });
        return;
      } catch (error) {
        // The database or the broker may be down at this moment, as at any real restart.
        if (Date.now() > deadlineMs || !this.#running) throw error;
        await delay(200);
      }
    }
  }

  /** What a cluster does for its pods: a process that ended, or that says it is no longer alive, is started anew. */
  async #supervise(): Promise<void> {
    const failed = new Map<Slot, number>();
    while (this.#running) {
      await delay(superviseEveryMs);
      await Promise.all(this.slots.map(async (slot) => {
        const { replica } = slot;
        if (!replica || slot.heldDown || this.#reviving.has(slot)) return void failed.delete(slot);
        const gone = !isRunning(replica.pid);
        if (!gone && (this.#enginesDown > 0 || await probe(slot, 'live'))) return void failed.delete(slot);
        failed.set(slot, (failed.get(slot) ?? 0) + 1);
        if ((!gone && failed.get(slot)! < failedProbes) || slot.replica !== replica || slot.heldDown) return;
        failed.delete(slot);
        this.unexpectedEnds += 1;
        slot.replica = undefined;
        await replica.kill();
        if (!slot.heldDown) await this.revive(slot).catch(() => undefined);
      }));
    }
  }
}

async function probe(slot: Slot, which: 'live' | 'ready'): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${slot.port}/v1/${slot.service}/health/${which}`, { signal: AbortSignal.timeout(probeTimeoutMs) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

function isRunning(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}
