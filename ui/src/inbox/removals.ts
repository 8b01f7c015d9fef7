import type { Event } from "../api/event.js";
import type { Extent } from "./extent.js";

/** How long a deletion can be undone, in milliseconds. */
export const UNDO_TIME = 8_000;

/** A deletion that has not been sent. */
export interface Removal {
  /** The deleted events, which are hidden. */
  readonly extent: Extent;
  /** The line that represents the deletion in the notice. */
  readonly first: Event | undefined;
}

/** Sends a deletion and resolves with its response; `leaving` is true if the page is closing. */
export type SendRemoval = (removal: Removal, leaving: boolean) => Promise<void>;

/**
 * Deletions that wait until they can no longer be undone. A closing page sends them
 * immediately.
 */
export class Removals {
  readonly #send: SendRemoval;
  readonly #changed: () => void;
  readonly #time: number;
  /** Deletions that are sent but not answered. */
  readonly #sent = new Map<Removal, Promise<void>>();
  /** Deletions that can be undone, oldest first, with the timers that send them. */
  readonly #waiting = new Map<Removal, ReturnType<typeof setTimeout>>();

  constructor(send: SendRemoval, changed: () => void, time = UNDO_TIME) {
    this.#send = send;
    this.#changed = changed;
    this.#time = time;
  }

  /** The deletions that can be undone, oldest first. */
  get waiting(): readonly Removal[] {
    return [...this.#waiting.keys()];
  }

  /** Whether an event is hidden by a deletion. */
  hides(event: Event): boolean {
    return this.extents.some((extent) => extent.has(event));
  }

  /** The pending deletions. */
  get extents(): readonly Extent[] {
    return [...this.#waiting.keys(), ...this.#sent.keys()].map(({ extent }) => extent);
  }

  /** Starts the undo period of a deletion. */
  add(removal: Removal): void {
    this.#waiting.set(removal, setTimeout(() => this.#flush(removal, false), this.#time));
    this.#changed();
  }

  /** Takes back a deletion: the newest one, unless another is given. */
  undo(removal = this.waiting.at(-1)): void {
    if (removal) {
      clearTimeout(this.#waiting.get(removal));
      this.#waiting.delete(removal);
      this.#changed();
    }
  }

  /** Sends the waiting deletions. */
  flush(leaving: boolean): void {
    for (const removal of this.waiting) {
      this.#flush(removal, leaving);
    }
  }

  #flush(removal: Removal, leaving: boolean): void {
    clearTimeout(this.#waiting.get(removal));
    this.#waiting.delete(removal);
    const sent = this.#send(removal, leaving).finally(() => {
      this.#sent.delete(removal);
      this.#changed();
    });
    this.#sent.set(removal, sent);
    this.#changed();
  }

  /** Sends the waiting deletions and waits for all responses. */
  async settle(): Promise<void> {
    this.flush(false);
    await Promise.all(this.#sent.values());
  }
}
