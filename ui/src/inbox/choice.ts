import type { Event } from "../api/schema.js";
import type { Extent } from "./extent.js";

/** Which events are selected: some by their ids, or all that matched at one moment. */
export class Choice {
  #ids = new Set<string>();
  /** Where a range begins. */
  #anchor: string | undefined;
  #all: Extent | undefined;

  get isEmpty(): boolean {
    return !this.#all && this.#ids.size === 0;
  }

  /** All that matched when they were selected, loaded or not. */
  get all(): Extent | undefined {
    return this.#all;
  }

  get ids(): readonly string[] {
    return [...this.#ids];
  }

  has(event: Event): boolean {
    return this.#all?.has(event) ?? this.#ids.has(event.id);
  }

  /** Selects a line's events, or none of them if all were selected. `id` names the line. */
  toggle(id: string, ids: readonly string[] = [id]): void {
    this.#leaveAll();
    const isWhole = ids.every((each) => this.#ids.has(each));
    for (const each of ids) {
      if (isWhole) {
        this.#ids.delete(each);
      } else {
        this.#ids.add(each);
      }
    }
    this.#anchor = id;
  }

  /**
   * Selects all lines from the one that was selected last to `id`, in the order on screen; `idsOf` gives
   * the events of a line.
   */
  extend(
    id: string,
    order: readonly string[],
    idsOf: (line: string) => readonly string[] = (line) => [line],
  ): void {
    this.#leaveAll();
    const [from, to] = [order.indexOf(this.#anchor ?? id), order.indexOf(id)];
    const begin = from < 0 ? to : from;
    for (const line of order.slice(Math.min(begin, to), Math.max(begin, to) + 1)) {
      this.add(idsOf(line));
    }
    this.#anchor ??= id;
  }

  add(ids: readonly string[]): void {
    for (const id of ids) {
      this.#ids.add(id);
    }
  }

  selectAll(extent: Extent): void {
    this.#ids.clear();
    this.#all = extent;
  }

  clear(): void {
    this.#ids.clear();
    this.#anchor = undefined;
    this.#all = undefined;
  }

  /** Those that are gone are not selected. */
  forget(events: readonly Event[]): void {
    this.#all?.shrink(events.filter((event) => this.#all?.has(event)).length);
    for (const { id } of events) {
      this.#ids.delete(id);
    }
  }

  #leaveAll(): void {
    if (this.#all) {
      this.clear();
    }
  }
}
