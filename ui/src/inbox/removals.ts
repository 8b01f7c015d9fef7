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
  #waiting: { removal: Removal; timer: ReturnType<typeof setTimeout> } | undefined;

  constructor(send: SendRemoval, changed: () => void, time = UNDO_TIME) {
    this.#send = send;
    this.#changed = changed;
    this.#time = time;
  }

  /** The deletion that can be undone. */
  get waiting(): Removal | undefined {
    return this.#waiting?.removal;
  }

  /** Whether an event is hidden by a deletion. */
  hides(event: Event): boolean {
    return this.extents.some((extent) => extent.has(event));
  }

  /** The pending deletions. */
  get extents(): readonly Extent[] {
    const removals = [this.waiting, ...this.#sent.keys()].filter((removal) => removal !== undefined);
    return removals.map(({ extent }) => extent);
  }

  /** Starts the undo period of a deletion and sends the previous one. */
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

  /** Sends the waiting deletion. */
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

  /** Sends the waiting deletion and waits for all responses. */
  async settle(): Promise<void> {
    this.flush(false);
    await Promise.all(this.#sent.values());
  }
}
