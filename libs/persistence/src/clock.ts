/**
 * Two clocks. Business time rules decisions, due dates and consent, and can be moved forward in the sandbox;
 * real time rules tokens, signatures, retries and event ids, and never moves but by itself.
 */
export class Clock {
  #offsetMs: number;

  constructor(offsetMs = 0) {
    this.#offsetMs = offsetMs;
  }

  /** Now, as decisions see it. */
  business(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  /** Now, as the machine sees it. */
  real(): Date {
    return new Date();
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Moves business time forward; it never goes back, since deadlines that have passed cannot be unpassed. */
  moveTo(offsetMs: number): void {
    if (offsetMs < this.#offsetMs) throw new RangeError('Business time only moves forward');
    this.#offsetMs = offsetMs;
  }
}
