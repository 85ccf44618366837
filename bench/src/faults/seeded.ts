import { createHash } from 'node:crypto';

/**
 * All of a run's randomness from one number: which story, which fault, when. What real processes do between two steps
 * is theirs: the same seed plays the same plan, not the same interleaving.
 */
export class Seeded {
  readonly name: string;
  #state: number;

  constructor(seed: number | string) {
    this.name = String(seed);
    this.#state = createHash('sha256').update(this.name).digest().readUInt32LE(0);
  }

  /** A generator of its own, so that one worker's draws do not depend on how often another drew. */
  fork(part: string | number): Seeded {
    return new Seeded(`${this.name}/${part}`);
  }

  /** At least 0, below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const picked = choices[Math.floor(this.next() * choices.length)];
    if (picked === undefined) throw new RangeError('There is nothing to pick from');
    return picked;
  }

  /** A UUID of version 4 that the seed decides. */
  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.int(0, 15).toString(16)).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${'89ab'[this.int(0, 3)]}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

/** The seed of a campaign's run: the first run takes the campaign's own, so that one failing run replays by its seed alone. */
export function seedOfRun(campaignSeed: number, run: number): number {
  if (run === 0) return campaignSeed;
  return createHash('sha256').update(`${campaignSeed}:${run}`).digest().readUInt32LE(0);
}
