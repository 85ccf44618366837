/** A loop's rest between two looks, which a poke or the end cuts short. */
export class Pause {
  #poked = false;
  #wake: () => void = () => {};
  #wakeIdle: () => void = () => {};

  /** There is something to look at: `whileIdle` ends, or does not begin, until `look` is called. */
  poke(): void {
    this.#poked = true;
    this.#wakeIdle();
  }

  /** Whatever was poked is seen by the look that begins now. */
  look(): void {
    this.#poked = false;
  }

  /** Ends every rest. */
  wake(): void {
    this.#wake();
  }

  whileIdle(ms: number): Promise<void> {
    if (this.#poked) return Promise.resolve();
    const rested = this.rest(ms);
    this.#wakeIdle = this.#wake;
    return rested.finally(() => { this.#wakeIdle = () => {}; });
  }

  /** A poke does not shorten it: under load, pokes would turn the wait for a bus that is away into a spin. */
  rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}
