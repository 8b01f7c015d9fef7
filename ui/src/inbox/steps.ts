import type { Event, EventPage, Status } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";
import { comesBefore } from "./rows.js";

/** As many events as one change may name; an operation with more steps is changed by filter. */
const MAX_STEPS = 10_000;

/** Asks for a page of an operation's steps, the newest first. */
export type ListSteps = (operationId: string, next: string | undefined) => Promise<EventPage>;

/**
 * Steps of operations that are further down than what is loaded of the list. They count: a line stands
 * for all of them.
 */
export class Steps {
  readonly #list: ListSteps;
  /** By operation, then by id. */
  #known = new Map<string, Map<string, Event>>();
  /** The operations of which every step is known. */
  #whole = new Set<string>();
  #asked = new Map<string, Promise<boolean>>();
  #pending = 0;
  /** What the stream says while an answer is on its way, which may be older than that. */
  #meanwhile: Frame[] = [];

  constructor(list: ListSteps) {
    this.#list = list;
  }

  /** Forgets all, since the list begins again. */
  clear(): void {
    this.#known = new Map();
    this.#whole = new Set();
    this.#asked = new Map();
  }

  /** The known steps, the newest first, whether or not the list has them too. */
  of(operationId: string): readonly Event[] {
    const steps = [...(this.#known.get(operationId)?.values() ?? [])];
    return steps.sort((one, other) => (comesBefore(one, other) ? -1 : 1));
  }

  /** Whether every step of an operation is known. */
  isWhole(operationId: string): boolean {
    return this.#whole.has(operationId);
  }

  /** Asks for all steps of an operation, once at a time; whether all are known then. Never fails. */
  async all(operationId: string): Promise<boolean> {
    if (this.isWhole(operationId)) {
      return true;
    }
    let answer = this.#asked.get(operationId);
    if (!answer) {
      const asked = this.#asked;
      answer = this.take(() => this.#load(operationId)).then((events) => {
        asked.delete(operationId);
        if (!events || events.length > MAX_STEPS) {
          return false;
        }
        this.#whole.add(operationId);
        return true;
      });
      asked.set(operationId, answer);
    }
    return answer;
  }

  /** Takes the events of an answer for steps; `undefined` where it failed or the list began again. */
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

  /** Follows what the stream says about steps; `isElsewhere` tells of an event that the list has. */
  follow(frame: Frame, isElsewhere: boolean): void {
    if (this.#pending > 0) {
      this.#meanwhile.push(frame);
    }
    this.#apply(frame);
    // One that happened long ago, and is told only now.
    if (frame.kind === "event" && !isElsewhere && this.#known.has(frame.event.operationId)) {
      this.#add(frame.event);
    }
  }

  mark(ids: readonly string[], status: Status, updatedAt: string): void {
    for (const steps of this.#known.values()) {
      for (const id of ids) {
        const step = steps.get(id);
        if (step && step.status !== status) {
          steps.set(id, { ...step, status, updatedAt });
        }
      }
    }
  }

  remove(ids: readonly string[]): void {
    for (const steps of this.#known.values()) {
      for (const id of ids) {
        steps.delete(id);
      }
    }
  }

  #add(event: Event): void {
    const steps = this.#known.get(event.operationId);
    if (steps) {
      steps.set(event.id, event);
    } else {
      this.#known.set(event.operationId, new Map([[event.id, event]]));
    }
  }

  #apply(frame: Frame): void {
    if (frame.kind === "status") {
      this.mark(frame.change.ids, frame.change.status, frame.change.updatedAt);
    } else if (frame.kind === "deleted") {
      this.remove(frame.change.ids);
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
