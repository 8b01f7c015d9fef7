import { type Event, type EventKey, eventKey } from "../api/event.js";
import type { Extent } from "./extent.js";

/** The selection: individual events by key, or all events that matched at one moment. */
export class Choice {
  #keys = new Set<EventKey>();
  /** The anchor of a range selection. */
  #anchor: EventKey | undefined;
  #all: Extent | undefined;

  get isEmpty(): boolean {
    return !this.#all && this.#keys.size === 0;
  }

  /** All events that matched at the time of selection, loaded or not. */
  get all(): Extent | undefined {
    return this.#all;
  }

  get keys(): readonly EventKey[] {
    return [...this.#keys];
  }

  has(event: Event): boolean {
    return this.#all?.has(event) ?? this.#keys.has(eventKey(event));
  }

  /** Toggles the selection of a line's events. `line` is the key of its first event. */
  toggle(line: EventKey, keys: readonly EventKey[] = [line]): void {
    this.#leaveAll();
    const isWhole = keys.every((each) => this.#keys.has(each));
    for (const each of keys) {
      if (isWhole) {
        this.#keys.delete(each);
      } else {
        this.#keys.add(each);
      }
    }
    this.#anchor = line;
  }

  /**
   * Selects the lines between the anchor and `end` in the order on screen; `keysOf` returns
   * the events of a line.
   */
  extend(
    end: EventKey,
    order: readonly EventKey[],
    keysOf: (line: EventKey) => readonly EventKey[] = (line) => [line],
  ): void {
    this.#leaveAll();
    const [from, to] = [order.indexOf(this.#anchor ?? end), order.indexOf(end)];
    const begin = from < 0 ? to : from;
    for (const line of order.slice(Math.min(begin, to), Math.max(begin, to) + 1)) {
      this.add(keysOf(line));
    }
    this.#anchor ??= end;
  }

  add(keys: readonly EventKey[]): void {
    for (const key of keys) {
      this.#keys.add(key);
    }
  }

  selectAll(extent: Extent): void {
    this.#keys.clear();
    this.#all = extent;
  }

  clear(): void {
    this.#keys.clear();
    this.#anchor = undefined;
    this.#all = undefined;
  }

  /** Removes deleted events from the selection. */
  forget(events: readonly Event[]): void {
    this.#all?.shrink(events.filter((event) => this.#all?.has(event)).length);
    for (const event of events) {
      this.#keys.delete(eventKey(event));
    }
  }

  #leaveAll(): void {
    if (this.#all) {
      this.clear();
    }
  }
}
