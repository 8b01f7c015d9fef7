/** The wait before a first attempt, where the server names none, and the longest, in milliseconds. */
const FIRST = 1_000;
const LONGEST = 30_000;

/** What is taken of a server's `retry:`, in milliseconds. */
const [LEAST_NAMED, MOST_NAMED] = [100, 300_000];

/**
 * How long to wait before connecting again: a random time up to a limit that doubles with each failure,
 * so that the many who lost the server together do not return together.
 */
export class Backoff {
  #named = FIRST;
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** What the server said. */
  name(delay: number): void {
    this.#named = Math.min(Math.max(delay, LEAST_NAMED), MOST_NAMED);
  }

  /** It works again. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const grown = this.#named * 2 ** Math.min(this.#failures, 16);
    this.#failures += 1;
    return this.#random() * Math.max(Math.min(grown, LONGEST), this.#named);
  }
}
