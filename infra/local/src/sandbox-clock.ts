import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Instant } from '@amana/contracts';
import { openPool, type Pool } from '@amana/persistence';
import { z } from 'zod';
import { keepPrivateJson, writePrivateJson } from './json-file.ts';
import type { LocalHandler } from './router.ts';
import type { Replica } from './replica.ts';

const Kept = z.strictObject({ offsetMs: z.number().int().min(0) });
/** A story lasts three years at most; a clock that is further on would date everything beyond what contracts keep. */
const furthestMs = 3 * 365 * 86_400_000;
const Move = z.strictObject({ to: Instant.optional(), byMs: z.number().int().min(0).max(furthestMs).optional() });

/** What is still overdue this long after a step is named, not awaited. */
const drainWithinMs = 60_000;
const stepsMax = 1_000;

export interface ClockJob {
  readonly jobId: string;
  readonly now: string;
  readonly done: boolean;
  /** Services with business due rows that were not handled in time. */
  readonly undrained: readonly string[];
}

/**
 * Business time of the whole sandbox. It goes from due time to due time, so that every deadline falls in its place,
 * and only forward; it is kept, so that a later start goes on from there.
 */
export class SandboxClock {
  readonly #file: string;
  readonly #pools: ReadonlyMap<string, Pool>;
  readonly #replicas: () => readonly Replica[];
  #offsetMs: number;
  #moving: Promise<unknown> = Promise.resolve();
  readonly #jobs = new Map<string, ClockJob>();

  private constructor(options: { file: string; offsetMs: number; pools: ReadonlyMap<string, Pool>; replicas: () => readonly Replica[] }) {
    this.#file = options.file;
    this.#offsetMs = options.offsetMs;
    this.#pools = options.pools;
    this.#replicas = options.replicas;
  }

  /** The clock as the last start left it. */
  static async open(options: { stateDir: string; appUrls: ReadonlyMap<string, string>; replicas: () => readonly Replica[] }): Promise<SandboxClock> {
    const file = join(options.stateDir, 'clock.json');
    const { offsetMs } = await keepPrivateJson(file, Kept, () => ({ offsetMs: 0 }));
    return new SandboxClock({ file, offsetMs, replicas: options.replicas, pools: new Map([...options.appUrls].map(([service, url]) => [service, openPool(url, 1)])) });
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  async close(): Promise<void> {
    await this.#moving.catch(() => undefined);
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }

  /** `GET /sandbox/clock` tells the time and the last job; `POST {to}` or `{byMs}` moves it on and answers 202 with a job. */
  readonly handler: LocalHandler = async (method, body) => {
    if (method !== 'POST') return { status: 200, body: { now: this.now().toISOString(), offsetMs: this.#offsetMs, jobs: [...this.#jobs.values()].slice(-5) } };
    const move = Move.safeParse(body);
    if (!move.success || (move.data.to === undefined) === (move.data.byMs === undefined)) throw new RangeError('Give either `to` or `byMs`');
    const target = move.data.to ? new Date(move.data.to) : new Date(this.now().getTime() + move.data.byMs!);
    if (target.getTime() - this.now().getTime() > furthestMs) throw new RangeError('Three years ahead at most');
    const jobId = randomUUID();
    this.#jobs.set(jobId, { jobId, now: this.now().toISOString(), done: false, undrained: [] });
    void this.moveTo(target).then((undrained) => this.#jobs.set(jobId, { jobId, now: this.now().toISOString(), done: true, undrained }), () => this.#jobs.set(jobId, { jobId, now: this.now().toISOString(), done: true, undrained: ['clock'] }));
    return { status: 202, body: this.#jobs.get(jobId) };
  };

  /** Moves on to `target`; answers the services that still had overdue rows after 60 s. Throws when it lies in the past. */
  moveTo(target: Date): Promise<string[]> {
    const move = this.#moving.catch(() => undefined).then(() => this.#move(target));
    this.#moving = move;
    return move;
  }

  async #move(target: Date): Promise<string[]> {
    for (let step = 0; step < stepsMax; step += 1) {
      const next = await this.#nextDue();
      const at = next && next < target ? next : target;
      await this.#set(at);
      const undrained = await this.#drain();
      if (undrained.length > 0 || at === target) return undrained;
    }
    return [];
  }

  async #set(at: Date): Promise<void> {
    this.#offsetMs = Math.max(this.#offsetMs, at.getTime() - Date.now());
    await writePrivateJson(this.#file, { offsetMs: this.#offsetMs });
    for (const replica of this.#replicas()) replica.setClockOffset(this.#offsetMs);
  }

  async #nextDue(): Promise<Date | undefined> {
    const rows = await Promise.all([...this.#pools.values()].map((pool) => pool.query<{ at: Date | null }>('SELECT min(due_at) AS at FROM due WHERE clock = \'business\'')));
    const times = rows.flatMap((result) => result.rows[0]?.at ?? []);
    return times.length > 0 ? new Date(Math.max(Math.min(...times.map(Number)) + 1, this.now().getTime())) : undefined;
  }

  async #drain(): Promise<string[]> {
    const untilMs = Date.now() + drainWithinMs;
    for (;;) {
      const overdue = await Promise.all([...this.#pools].map(async ([service, pool]) => {
        const { rows } = await pool.query('SELECT 1 FROM due WHERE clock = \'business\' AND due_at <= $1 LIMIT 1', [this.now()]);
        return rows.length > 0 ? service : undefined;
      }));
      const left = overdue.filter((service) => service !== undefined);
      if (left.length === 0 || Date.now() > untilMs) return left;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}
