import type { Event } from "../api/schema.js";
import type { Extent } from "./extent.js";

/** The selection: individual events by id, or all events that matched at one moment. */
export class Choice {
  #ids = new Set<string>();
  /** The anchor of a range selection. */
  #anchor: string | undefined;
  #all: Extent | undefined;

  get isEmpty(): boolean {
    return !this.#all && this.#ids.size === 0;
  }

  /** All events that matched at the time of selection, loaded or not. */
  get all(): Extent | undefined {
    return this.#all;
  }

  get ids(): readonly string[] {
    return [...this.#ids];
  }

  has(event: Event): boolean {
    return this.#all?.has(event) ?? this.#ids.has(event.id);
  }

  /** Toggles the selection of a line's events. `id` names the line. */
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
   * Selects the lines between the anchor and `id` in the order on screen; `idsOf` returns
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

  /** Removes deleted events from the selection. */
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
