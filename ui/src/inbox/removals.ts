import type { Event } from "../api/schema.js";
import type { Extent } from "./extent.js";

/** How long a deletion can be taken back, in milliseconds. */
export const UNDO_TIME = 8_000;

/** A deletion that is not sent yet. */
export interface Removal {
  /** What is deleted, and is not shown any more. */
  readonly extent: Extent;
  /** What stands for all of it where the reader is told: the line, or the first one. */
  readonly first: Event | undefined;
}

/** Sends a deletion, and is done when it is answered; `leaving` is true when the page goes away. */
export type SendRemoval = (removal: Removal, leaving: boolean) => Promise<void>;

/**
 * Deletions that wait until nobody takes them back any more. When the page goes away they are sent at
 * once: to leave is no undo.
 */
export class Removals {
  readonly #send: SendRemoval;
  readonly #changed: () => void;
  readonly #time: number;
  /** Those that are sent and not answered. */
  readonly #sent = new Map<Removal, Promise<void>>();
  #waiting: { removal: Removal; timer: ReturnType<typeof setTimeout> } | undefined;

  constructor(send: SendRemoval, changed: () => void, time = UNDO_TIME) {
    this.#send = send;
    this.#changed = changed;
    this.#time = time;
  }

  /** The one that can be taken back. */
  get waiting(): Removal | undefined {
    return this.#waiting?.removal;
  }

  /** Whether an event is about to be deleted, and not shown any more. */
  hides(event: Event): boolean {
    return this.extents.some((extent) => extent.has(event));
  }

  /** What is about to be deleted. */
  get extents(): readonly Extent[] {
    const removals = [this.waiting, ...this.#sent.keys()].filter((removal) => removal !== undefined);
    return removals.map(({ extent }) => extent);
  }

  /** Begins to wait; one that waited before is sent. */
  add(removal: Removal): void {
    this.flush(false);
    const timer = setTimeout(() => this.flush(false), this.#time);
    this.#waiting = { removal, timer };
    this.#changed();
  }

  undo(): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting = undefined;
    this.#changed();
  }

  /** Sends what waits. */
  flush(leaving: boolean): void {
    const waiting = this.#waiting;
    if (!waiting) {
      return;
    }
    clearTimeout(waiting.timer);
    this.#waiting = undefined;
    const { removal } = waiting;
    const sent = this.#send(removal, leaving).finally(() => {
      this.#sent.delete(removal);
      this.#changed();
    });
    this.#sent.set(removal, sent);
    this.#changed();
  }

  /** Sends what waits, and waits for all answers. */
  async settle(): Promise<void> {
    this.flush(false);
    await Promise.all(this.#sent.values());
  }
}
