import {
  type Event,
  type EventKey,
  type Meant,
  eventKey,
  markedAs,
  meantByChange,
  replacedBy,
} from "../api/event.js";
import { type EventFilter, matches } from "../api/filter.js";
import type { Status } from "../api/schema.js";
import { sortable } from "../api/times.js";
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
  /** Events that no longer match since an update, and stay while the reader looks at the list. */
  readonly #leaving = new Set<EventKey>();
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

  /** Whether {@link release} adds or removes rows. */
  get waits(): boolean {
    return this.#held.size + this.#leaving.size > 0;
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
    this.#leaving.clear();
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
   * Applies a frame of the stream. With `hold`, no row appears or disappears by it until {@link release},
   * except deleted ones. Returns whether an event now matches that is not loaded.
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
      case "updated":
        return this.#replace(frame.change.event, hold);
      default:
        return false;
    }
  }

  /** Shows the held events, and removes those that no longer match since an update. */
  release(): void {
    this.remove([[...this.#leaving]]);
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
        this.#put(event, markedAs(event, status, updatedAt));
      }
    }
    return unknown && this.#filter.status === status;
  }

  remove(events: readonly Meant[]): void {
    const gone = new Set<EventKey>();
    for (const key of events.flat()) {
      const event = this.get([key]);
      this.#count(-this.#weight(event));
      this.#held.delete(key);
      this.#leaving.delete(key);
      if (this.#byKey.delete(key)) {
        gone.add(key);
      }
    }
    if (gone.size) {
      this.#events = this.#events.filter((event) => !gone.has(eventKey(event)));
    }
  }

  /**
   * Applies an update. An event that is not loaded is never added: the reader may have deleted it. Returns whether
   * it matches and would be among the loaded ones, so that only the server can tell.
   */
  #replace(update: Event, hold: boolean): boolean {
    const key = eventKey(update);
    const known = this.get([key]);
    if (!known) {
      return this.#canMiss(update);
    }
    const event = replacedBy(known, update);
    this.#put(known, event);
    // An event that the reader has just read does not match before either, and stays.
    if (this.#weight(known) > this.#weight(event) && !this.#held.delete(key)) {
      this.#leaving.add(key);
      if (!hold) {
        this.remove([[...this.#leaving]]);
      }
    }
    return false;
  }

  #canMiss(update: Event): boolean {
    const { status } = this.#filter;
    // The update of a system event does not have the reader's own status.
    const event = update.ownerKind === "system" && status ? { ...update, status } : update;
    return dependsOnContent(this.#filter) && matches(this.#filter, event) && !this.#isBelow(update);
  }

  /** Whether an event belongs below the loaded ones, so that a later page has it. */
  #isBelow(event: Event): boolean {
    const last = this.#events.at(-1);
    return this.hasMore && last !== undefined && comesBefore(last, event);
  }

  #arrive(event: Event, hold: boolean): void {
    if (this.has(event) || !matches(this.#filter, event)) {
      return;
    }
    this.#count(1);
    if (this.#isBelow(event)) {
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

  #put(known: Event, event: Event): void {
    const key = eventKey(event);
    this.#count(this.#weight(event) - this.#weight(known));
    if (this.#weight(event) > 0) {
      this.#leaving.delete(key);
    }
    if (this.#held.has(key)) {
      this.#held.set(key, event);
      return;
    }
    this.#byKey.set(key, event);
    this.#events[this.#events.indexOf(known)] = event;
  }

  /** What an event adds to the total. */
  #weight(event: Event | undefined): number {
    return event && matches(this.#filter, event) ? 1 : 0;
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

/** Whether an update can make an event match. */
function dependsOnContent({ severity, status, search }: EventFilter): boolean {
  return [severity?.length, status, search].some(Boolean);
}
