import type { Selection } from "../api/client.js";
import { type Event, type EventKey, eventKey } from "../api/event.js";
import { type EventFilter, matches, selectionOf } from "../api/filter.js";
import type { Cursor } from "../api/schema.js";

/**
 * The events that a change applies to, fixed at the moment of the reader's choice: events that arrive later
 * are excluded, both on screen and on the server.
 */
export class Extent {
  /** What the request selects. */
  readonly selection: Selection;
  #count: number;
  readonly #isAmong: (event: Event) => boolean;
  readonly #later = new Set<EventKey>();

  private constructor(selection: Selection, count: number, isAmong: (event: Event) => boolean) {
    this.selection = selection;
    this.#count = count;
    this.#isAmong = isAmong;
  }

  /** An extent of the given events. */
  static of(keys: readonly EventKey[]): Extent {
    const among = new Set(keys);
    return new Extent({ keys }, keys.length, (event) => among.has(eventKey(event)));
  }

  /** An extent of all matching events up to a cursor; `count` is the known number of them. */
  static matching(filter: EventFilter, upTo: Cursor, count: number): Extent {
    return new Extent(selectionOf(filter, upTo), count, (event) => matches(filter, event));
  }

  /** The known number of events. */
  get count(): number {
    return this.#count;
  }

  has(event: Event): boolean {
    return this.#isAmong(event) && !this.#later.has(eventKey(event));
  }

  /** Records an event that arrived after the choice. */
  arrived(event: Event): void {
    this.#later.add(eventKey(event));
  }

  /** Removes deleted events. */
  shrink(by: number): void {
    this.#count = Math.max(0, this.#count - by);
  }
}
