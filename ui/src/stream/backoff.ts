/** The default initial delay and the maximum delay, in milliseconds. */
const FIRST = 1_000;
const LONGEST = 30_000;

/** The accepted range of the server's `retry:`, in milliseconds. */
const [LEAST_NAMED, MOST_NAMED] = [100, 300_000];

/**
 * Computes the delay before a reconnect: random, up to a limit that doubles with each failure,
 * so that clients that lost the server together do not reconnect together.
 */
export class Backoff {
  #named = FIRST;
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Applies the server's `retry:`. */
  name(delay: number): void {
    this.#named = Math.min(Math.max(delay, LEAST_NAMED), MOST_NAMED);
  }

  /** Resets the delay after a success. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** The next delay, in milliseconds. */
  next(): number {
    const grown = this.#named * 2 ** Math.min(this.#failures, 16);
    this.#failures += 1;
    return this.#random() * Math.max(Math.min(grown, LONGEST), this.#named);
  }
}
