import type { Pool, PoolClient } from '@amana/persistence';
import { Pause } from './pause.ts';

/** The time in which this process leads. It ends when the lock's connection is lost or somebody calls `stepDown`. */
export interface Lead {
  /** The connection that holds the lock: whoever loses it has lost the lead, so bookkeeping written through it is fenced. */
  readonly client: PoolClient;
  readonly signal: AbortSignal;
  stepDown(reason: unknown): void;
}

export interface LeaderLockOptions {
  /** Needs one connection for as long as the lock lives; a direct one, since session locks do not survive a connection pooler. */
  readonly pool: Pool;
  readonly name: string;
  /** Runs while this process leads; must end soon after `lead.signal` aborts. */
  readonly work: (lead: Lead) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

/**
 * One leader among all processes that use this name in this database (pg_try_advisory_lock). Standbys try again each
 * second, so that a killed leader is replaced about a second after the server has noticed that its connection is gone.
 */
export class LeaderLock {
  readonly #options: LeaderLockOptions;
  #running = false;
  #leading = false;
  readonly #pause = new Pause();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: LeaderLockOptions) {
    this.#options = options;
  }

  get leading(): boolean {
    return this.#leading;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#loop = this.#run();
  }

  /** Resolves when the work has ended and the lock is free; the owner of the work tells it to end before. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#pause.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#standBy().catch(this.#options.onError);
      if (this.#running) await this.#pause.rest(retryMs);
    }
  }

  /** One connection, kept while it waits: it asks for the lock until it has it, leads, and ends. */
  async #standBy(): Promise<void> {
    const client = await this.#options.pool.connect();
    const controller = new AbortController();
    const lost = (): void => controller.abort(new Error('The connection of the leader lock is lost'));
    client.on('error', lost);
    client.on('end', lost);
    try {
      while (this.#running && !controller.signal.aborted) {
        if (await this.#take(client)) {
          await this.#options.work({ client, signal: controller.signal, stepDown: (reason) => controller.abort(reason) });
          return;
        }
        await this.#pause.rest(retryMs);
      }
    } finally {
      this.#leading = false;
      client.off('end', lost);
      // Closing the session is the one way to give the lock back that cannot fail half-way.
      client.release(true);
    }
  }

  async #take(client: PoolClient): Promise<boolean> {
    const answer = await client.query<{ taken: boolean }>({ name: 'leader-lock', text: 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken', values: [this.#options.name] });
    if (!answer.rows[0]!.taken) return false;
    // A cursor that is lost with a crash only sends a window again; its commits need not wait for the disk.
    await client.query('SET synchronous_commit = off');
    this.#leading = true;
    return true;
  }
}
