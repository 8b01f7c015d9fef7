import { type Event, type EventKey, type Meant, eventKey, meantByChange } from "../api/event.js";
import { type EventFilter, matches } from "../api/filter.js";
import type { Status } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";

/**
 * The loaded part of the list, newest first, kept up to date by the frames of the stream. Every
 * operation is idempotent.
 */
export class Rows {
  #filter: EventFilter = {};
  #events: Event[] = [];
  #byKey = new Map<EventKey, Event>();
  /** New matching events that are held back, so that no row moves while the reader looks at it. */
  #held = new Map<EventKey, Event>();
  #total: number | undefined;
  /** Whether the server has older matching events. */
  hasMore = false;

  /** The filter of the list. */
  get filter(): EventFilter {
    return this.#filter;
  }

  get events(): readonly Event[] {
    return this.#events;
  }

  get held(): number {
    return this.#held.size;
  }

  /** The number of matching events; exact while the stream names only loaded events. */
  get total(): number | undefined {
    return this.#total;
  }

  /** The event that a name means. */
  get(meant: Meant): Event | undefined {
    const found = meant.map((key) => this.#byKey.get(key) ?? this.#held.get(key));
    return found.find((event) => event !== undefined);
  }

  has(event: Event): boolean {
    return this.get([eventKey(event)]) !== undefined;
  }

  /**
   * Starts from the first page of a list. With `hold`, events above the first visible event are held
   * until {@link release}.
   */
  begin(
    filter: EventFilter,
    events: readonly Event[],
    total: number | undefined,
    hold = false,
  ): void {
    const first = hold ? this.#events[0] : undefined;
    const isAbove = (event: Event): boolean =>
      first !== undefined && !this.#byKey.has(eventKey(event)) && comesBefore(event, first);
    const held = events.filter(isAbove);
    const shown = events.filter((event) => !isAbove(event));
    this.#filter = filter;
    this.#held = new Map(held.map((event) => [eventKey(event), event]));
    this.#events = shown;
    this.#byKey = new Map(shown.map((event) => [eventKey(event), event]));
    this.#total = total;
  }

  /** Adds the next page. */
  append(events: readonly Event[]): void {
    for (const event of events) {
      const key = eventKey(event);
      if (!this.#byKey.has(key)) {
        this.#byKey.set(key, event);
        this.#events.push(event);
      }
      this.#held.delete(key);
    }
  }

  /**
   * Applies a frame of the stream. With `hold`, new events are held until {@link release}. Returns whether
   * an event now matches that is not loaded.
   */
  take(frame: Frame<Event>, hold: boolean): boolean {
    switch (frame.kind) {
      case "event":
        this.#arrive(frame.event, hold);
        return false;
      case "status":
        return this.mark(meantByChange(frame.change), frame.change.status, frame.change.updatedAt);
      case "deleted":
        this.remove(meantByChange(frame.change));
        return false;
      default:
        return false;
    }
  }

  /** Shows the held events. */
  release(): void {
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const event of held) {
      this.#insert(event);
    }
  }

  /**
   * Marks events. Events that no longer match stay until the list is reloaded, so that an event the reader has
   * just read does not vanish. Returns whether events that are not loaded match now.
   */
  mark(events: readonly Meant[], status: Status, updatedAt: string): boolean {
    let unknown = false;
    for (const meant of events) {
      const event = this.get(meant);
      if (!event) {
        unknown = true;
      } else if (event.status !== status) {
        this.#put({ ...event, status, updatedAt });
      }
    }
    return unknown && this.#filter.status === status;
  }

  remove(events: readonly Meant[]): void {
    const keys = events.flat();
    const gone = new Set(keys.filter((key) => this.#byKey.delete(key)));
    for (const key of keys) {
      if (this.#held.delete(key)) {
        this.#count(-1);
      }
    }
    if (gone.size) {
      this.#events = this.#events.filter((event) => !gone.has(eventKey(event)));
      this.#count(-gone.size);
    }
  }

  #arrive(event: Event, hold: boolean): void {
    if (this.has(event) || !matches(this.#filter, event)) {
      return;
    }
    this.#count(1);
    const last = this.#events.at(-1);
    if (this.hasMore && last && comesBefore(last, event)) {
      return;
    }
    if (hold) {
      this.#held.set(eventKey(event), event);
    } else {
      this.#insert(event);
    }
  }

  #insert(event: Event): void {
    // Usually the event is the newest.
    let index = 0;
    let end = this.#events.length;
    const first = this.#events[0];
    if (first && !comesBefore(event, first)) {
      while (index < end) {
        const middle = (index + end) >> 1;
        const other = this.#events[middle];
        if (other && comesBefore(other, event)) {
          index = middle + 1;
        } else {
          end = middle;
        }
      }
    }
    this.#events.splice(index, 0, event);
    this.#byKey.set(eventKey(event), event);
  }

  #put(event: Event): void {
    const key = eventKey(event);
    if (this.#held.has(key)) {
      this.#held.set(key, event);
      return;
    }
    this.#byKey.set(key, event);
    const index = this.#events.findIndex((other) => eventKey(other) === key);
    this.#events[index] = event;
  }

  #count(change: number): void {
    if (this.#total !== undefined) {
      this.#total = Math.max(0, this.#total + change);
    }
  }
}

/** Whether an event sorts above another in a list with the newest first. */
export function comesBefore(one: Event, other: Event): boolean {
  const [a, b] = [sortable(one.createdAt), sortable(other.createdAt)];
  if (a !== b) {
    return a > b;
  }
  // Of two events with one id, the server lists the system's first.
  return one.id === other.id ? one.ownerKind < other.ownerKind : one.id > other.id;
}

/** Normalizes a UTC time to nine fractional digits, so that strings compare like times. */
function sortable(time: string): string {
  const [seconds = "", fraction = ""] = time.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}
