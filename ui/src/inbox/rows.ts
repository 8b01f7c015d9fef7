import { type EventFilter, matches } from "../api/filter.js";
import type { Event, Status } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";

/**
 * The loaded part of the list, the newest first, kept up to date by what the stream says. Whatever is
 * done to it may be done twice.
 */
export class Rows {
  #filter: EventFilter = {};
  #events: Event[] = [];
  #byId = new Map<string, Event>();
  /** Matching events that came and are not shown yet, so that nothing moves under the reader's eyes. */
  #held = new Map<string, Event>();
  #total: number | undefined;
  /** Whether older events are on the server that match and are not loaded. */
  hasMore = false;

  /** What the list was asked for. */
  get filter(): EventFilter {
    return this.#filter;
  }

  get events(): readonly Event[] {
    return this.#events;
  }

  get held(): number {
    return this.#held.size;
  }

  /** How many events match; exact as long as the stream names only events that are loaded. */
  get total(): number | undefined {
    return this.#total;
  }

  get(id: string): Event | undefined {
    return this.#byId.get(id) ?? this.#held.get(id);
  }

  /**
   * Begins with the first page of a list. With `hold`, what is above the first event that was shown waits
   * for {@link release}.
   */
  begin(
    filter: EventFilter,
    events: readonly Event[],
    total: number | undefined,
    hold = false,
  ): void {
    const first = hold ? this.#events[0] : undefined;
    const isAbove = (event: Event): boolean =>
      first !== undefined && !this.#byId.has(event.id) && comesBefore(event, first);
    const held = events.filter(isAbove);
    const shown = events.filter((event) => !isAbove(event));
    this.#filter = filter;
    this.#held = new Map(held.map((event) => [event.id, event]));
    this.#events = shown;
    this.#byId = new Map(shown.map((event) => [event.id, event]));
    this.#total = total;
  }

  /** Adds the next page. */
  append(events: readonly Event[]): void {
    for (const event of events) {
      if (!this.#byId.has(event.id)) {
        this.#byId.set(event.id, event);
        this.#events.push(event);
      }
      this.#held.delete(event.id);
    }
  }

  /**
   * Takes what the stream says. With `hold` new events wait for {@link release}. Returns whether
   * something matches now that cannot be shown without asking the server for it.
   */
  take(frame: Frame, hold: boolean): boolean {
    switch (frame.kind) {
      case "event":
        this.#arrive(frame.event, hold);
        return false;
      case "status":
        return this.mark(frame.change.ids, frame.change.status, frame.change.updatedAt);
      case "deleted":
        this.remove(frame.change.ids);
        return false;
      default:
        return false;
    }
  }

  /** Shows the events that were held. */
  release(): void {
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const event of held) {
      this.#insert(event);
    }
  }

  /**
   * Marks events. Those that match no longer stay where they are until the list is loaded anew: what one
   * has just read does not vanish under one's eyes. Returns whether unknown ones match now.
   */
  mark(ids: readonly string[], status: Status, updatedAt: string): boolean {
    let unknown = false;
    for (const id of ids) {
      const event = this.get(id);
      if (!event) {
        unknown = true;
      } else if (event.status !== status) {
        this.#put({ ...event, status, updatedAt });
      }
    }
    return unknown && this.#filter.status === status;
  }

  remove(ids: readonly string[]): void {
    const gone = new Set(ids.filter((id) => this.#byId.delete(id)));
    for (const id of ids) {
      if (this.#held.delete(id)) {
        this.#count(-1);
      }
    }
    if (gone.size) {
      this.#events = this.#events.filter((event) => !gone.has(event.id));
      this.#count(-gone.size);
    }
  }

  #arrive(event: Event, hold: boolean): void {
    if (this.#byId.has(event.id) || this.#held.has(event.id) || !matches(this.#filter, event)) {
      return;
    }
    this.#count(1);
    const last = this.#events.at(-1);
    if (this.hasMore && last && comesBefore(last, event)) {
      return;
    }
    if (hold) {
      this.#held.set(event.id, event);
    } else {
      this.#insert(event);
    }
  }

  #insert(event: Event): void {
    // Mostly it is the newest.
    let place = 0;
    let end = this.#events.length;
    const first = this.#events[0];
    if (first && !comesBefore(event, first)) {
      while (place < end) {
        const middle = (place + end) >> 1;
        const other = this.#events[middle];
        if (other && comesBefore(other, event)) {
          place = middle + 1;
        } else {
          end = middle;
        }
      }
    }
    this.#events.splice(place, 0, event);
    this.#byId.set(event.id, event);
  }

  #put(event: Event): void {
    if (this.#held.has(event.id)) {
      this.#held.set(event.id, event);
      return;
    }
    this.#byId.set(event.id, event);
    const place = this.#events.findIndex((other) => other.id === event.id);
    this.#events[place] = event;
  }

  #count(change: number): void {
    if (this.#total !== undefined) {
      this.#total = Math.max(0, this.#total + change);
    }
  }
}

/** Whether an event is above another in a list with the newest first. */
export function comesBefore(one: Event, other: Event): boolean {
  const [a, b] = [sortable(one.createdAt), sortable(other.createdAt)];
  return a === b ? one.id > other.id : a > b;
}

/** A time in UTC with up to nine digits of a second, so that texts compare as times do. */
function sortable(time: string): string {
  const [seconds = "", fraction = ""] = time.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}
