import { type Event, type EventKey, eventKey } from "../api/event.js";
import type { Frame } from "../stream/frame.js";

/**
 * Tells when the list must be loaded again because an event matches now that it does not have. After an update the
 * page cannot tell whether the reader has deleted that event, so it asks the server once.
 */
export class Missing {
  /** The events that the list was loaded again for. Those that it still does not have are deleted. */
  readonly #sought = new Set<EventKey>();

  clear(): void {
    this.#sought.clear();
  }

  /** Takes a frame and whether it makes an event match that is not loaded. Returns whether to load the list again. */
  take(frame: Frame<Event>, isStale: boolean): boolean {
    if (frame.kind !== "updated") {
      return isStale;
    }
    const key = eventKey(frame.change.event);
    const isNew = isStale && !this.#sought.has(key);
    if (isStale) {
      this.#sought.add(key);
    } else {
      this.#sought.delete(key);
    }
    return isNew;
  }
}
