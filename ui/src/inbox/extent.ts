import type { Selection } from "../api/client.js";
import { type EventFilter, matches, selectionOf } from "../api/filter.js";
import type { Cursor, Event } from "../api/schema.js";

/**
 * The events that a change applies to, fixed at the moment of the reader's choice: events that arrive later
 * are excluded, both on screen and on the server.
 */
export class Extent {
  /** The request body. */
  readonly selection: Selection;
  #count: number;
  readonly #isAmong: (event: Event) => boolean;
  readonly #later = new Set<string>();

  private constructor(selection: Selection, count: number, isAmong: (event: Event) => boolean) {
    this.selection = selection;
    this.#count = count;
    this.#isAmong = isAmong;
  }

  /** An extent of the given events. */
  static of(ids: readonly string[]): Extent {
    const among = new Set(ids);
    return new Extent({ ids }, ids.length, ({ id }) => among.has(id));
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
    return this.#isAmong(event) && !this.#later.has(event.id);
  }

  /** Records an event that arrived after the choice. */
  arrived(id: string): void {
    this.#later.add(id);
  }

  /** Removes deleted events. */
  shrink(by: number): void {
    this.#count = Math.max(0, this.#count - by);
  }
}
