import type { EventPage } from "../api/client.js";
import {
  type Event,
  type EventKey,
  type Meant,
  eventKey,
  markedAs,
  meantByChange,
  replacedBy,
} from "../api/event.js";
import type { Status } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";
import { comesBefore } from "./rows.js";

/** The maximum number of ids in one change; operations with more steps are changed by filter. */
const MAX_STEPS = 10_000;

/** Requests a page of an operation's steps, newest first. */
export type ListSteps = (operationId: string, next: string | undefined) => Promise<EventPage>;

/**
 * The steps of operations below the loaded part of the list. A line represents
 * all of them.
 */
export class Steps {
  readonly #list: ListSteps;
  /** The steps by operation, then by key. */
  #known = new Map<string, Map<EventKey, Event>>();
  /** The operations whose steps are all loaded. */
  #whole = new Set<string>();
  #asked = new Map<string, Promise<boolean>>();
  #pending = 0;
  /** Frames received while a request is pending; its response can be older than they are. */
  #meanwhile: Frame<Event>[] = [];

  constructor(list: ListSteps) {
    this.#list = list;
  }

  /** Clears everything when the list restarts. */
  clear(): void {
    this.#known = new Map();
    this.#whole = new Set();
    this.#asked = new Map();
  }

  /** The known steps, newest first, including those in the list. */
  of(operationId: string): readonly Event[] {
    const steps = [...(this.#known.get(operationId)?.values() ?? [])];
    return steps.sort((one, other) => (comesBefore(one, other) ? -1 : 1));
  }

  has(event: Event): boolean {
    return this.#known.get(event.operationId)?.has(eventKey(event)) ?? false;
  }

  /** Whether every step of an operation is loaded. */
  isWhole(operationId: string): boolean {
    return this.#whole.has(operationId);
  }

  /** Loads all steps of an operation, one request at a time, and returns whether all are loaded. Never rejects. */
  async all(operationId: string): Promise<boolean> {
    if (this.isWhole(operationId)) {
      return true;
    }
    let loading = this.#asked.get(operationId);
    if (!loading) {
      const asked = this.#asked;
      loading = this.take(() => this.#load(operationId)).then((events) => {
        asked.delete(operationId);
        if (!events || events.length > MAX_STEPS) {
          return false;
        }
        this.#whole.add(operationId);
        return true;
      });
      asked.set(operationId, loading);
    }
    return loading;
  }

  /** Adds the events of a response; returns `undefined` if the request failed or the list restarted. */
  async take(request: () => Promise<readonly Event[]>): Promise<readonly Event[] | undefined> {
    const known = this.#known;
    this.#pending += 1;
    try {
      const events = await request();
      if (known !== this.#known) {
        return undefined;
      }
      for (const event of events) {
        this.#add(event);
      }
      this.#meanwhile.forEach((frame) => this.#apply(frame));
      return events;
    } catch {
      return undefined;
    } finally {
      this.#pending -= 1;
      if (this.#pending === 0) {
        this.#meanwhile = [];
      }
    }
  }

  /** Applies a frame to the steps; `isElsewhere` returns whether the list has an event. */
  follow(frame: Frame<Event>, isElsewhere: boolean): void {
    if (this.#pending > 0) {
      this.#meanwhile.push(frame);
    }
    this.#apply(frame);
    // An event with an old time that was published only now.
    if (frame.kind === "event" && !isElsewhere && this.#known.has(frame.event.operationId)) {
      this.#add(frame.event);
    }
  }

  mark(events: readonly Meant[], status: Status, updatedAt: string): void {
    for (const steps of this.#known.values()) {
      for (const key of events.flat()) {
        const step = steps.get(key);
        if (step && step.status !== status) {
          steps.set(key, markedAs(step, status, updatedAt));
        }
      }
    }
  }

  remove(events: readonly Meant[]): void {
    for (const steps of this.#known.values()) {
      for (const key of events.flat()) {
        steps.delete(key);
      }
    }
  }

  #add(event: Event): void {
    const steps = this.#known.get(event.operationId);
    if (steps) {
      steps.set(eventKey(event), event);
    } else {
      this.#known.set(event.operationId, new Map([[eventKey(event), event]]));
    }
  }

  #apply(frame: Frame<Event>): void {
    if (frame.kind === "status") {
      this.mark(meantByChange(frame.change), frame.change.status, frame.change.updatedAt);
    } else if (frame.kind === "deleted") {
      this.remove(meantByChange(frame.change));
    } else if (frame.kind === "updated") {
      const { event } = frame.change;
      const steps = this.#known.get(event.operationId);
      const step = steps?.get(eventKey(event));
      if (step) {
        steps?.set(eventKey(event), replacedBy(step, event));
      }
    }
  }

  async #load(operationId: string): Promise<readonly Event[]> {
    const all: Event[] = [];
    let next: string | undefined;
    do {
      const page = await this.#list(operationId, next);
      all.push(...page.events);
      next = page.next;
    } while (next !== undefined && all.length <= MAX_STEPS);
    return all;
  }
}
