import type { Selection } from "../api/client.js";
import { type EventFilter, matches, selectionOf } from "../api/filter.js";
import type { Cursor, Event } from "../api/schema.js";

/**
 * The events that one change is about, as they were when the reader chose them: what arrives later is
 * not among them, on the screen as on the server.
 */
export class Extent {
  /** How the server is told. */
  readonly selection: Selection;
  #count: number;
  readonly #isAmong: (event: Event) => boolean;
  readonly #later = new Set<string>();

  private constructor(selection: Selection, count: number, isAmong: (event: Event) => boolean) {
    this.selection = selection;
    this.#count = count;
    this.#isAmong = isAmong;
  }

  /** These events and no others. */
  static of(ids: readonly string[]): Extent {
    const among = new Set(ids);
    return new Extent({ ids }, ids.length, ({ id }) => among.has(id));
  }

  /** All that match, up to a cursor; `count` of them, as far as is known. */
  static matching(filter: EventFilter, upTo: Cursor, count: number): Extent {
    return new Extent(selectionOf(filter, upTo), count, (event) => matches(filter, event));
  }

  /** How many events there are, as far as is known. */
  get count(): number {
    return this.#count;
  }

  has(event: Event): boolean {
    return this.#isAmong(event) && !this.#later.has(event.id);
  }

  /** Takes note of an event that arrived only now. */
  arrived(id: string): void {
    this.#later.add(id);
  }

  /** Some of the events are gone. */
  shrink(by: number): void {
    this.#count = Math.max(0, this.#count - by);
  }
}
