const MASK = '[sealed]';

/**
 * Carries a value of a person through code that might print it by accident: every way of turning it into text gives
 * `[sealed]`. The only way to the value is `reveal()`, so that a search for that word finds each place that reads one.
 */
export class Sealed<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. Call it where the value is answered to someone entitled, nowhere else. */
  reveal(): T {
    return this.#value;
  }

  /** A sealed value made from this one, without leaving the mask. */
  map<U>(change: (value: T) => U): Sealed<U> {
    return new Sealed(change(this.#value));
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  /** Also covers template strings, concatenation and `Number(...)`. */
  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}
