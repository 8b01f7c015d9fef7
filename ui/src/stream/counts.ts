import type { Severity, Status, Summary } from "../api/schema.js";
import type { Delta, Frame } from "./frame.js";

/** The number of events per severity for each status. */
export type CountsBySeverity = Readonly<Partial<Record<Severity, number>>>;

/** The server's counts for a user. */
export interface Counts {
  readonly unread: CountsBySeverity;
  readonly read: CountsBySeverity;
}

/** The sum over one status. */
export function totalOf(counts: CountsBySeverity): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/**
 * Maintains the counts from the stream (docs/streaming.md). Between `ready` and `live` they
 * do not change, because the counts in `live` already include these frames.
 */
export class Counter {
  #counts: Counts | undefined;
  #isLive = false;

  /** `undefined` until the server has sent them. */
  get counts(): Counts | undefined {
    return this.#counts;
  }

  /** The counts for a tab that starts here; `undefined` while they are pending. */
  get summary(): Summary | undefined {
    return this.#isLive && this.#counts
      ? { unread: { ...this.#counts.unread }, read: { ...this.#counts.read } }
      : undefined;
  }

  /** Returns whether the counts have changed. */
  take(frame: Frame): boolean {
    switch (frame.kind) {
      case "ready":
      case "reset":
        this.#isLive = false;
        return false;
      case "live":
        this.#isLive = true;
        this.#counts = { unread: frame.summary.unread, read: frame.summary.read };
        return true;
      case "event":
        return this.#add({ [frame.event.status]: { [frame.event.severity]: 1 } });
      case "status":
      case "deleted":
      case "updated":
        return this.#add(frame.change);
      default:
        return false;
    }
  }

  #add(delta: Delta): boolean {
    if (!this.#isLive || !this.#counts) {
      return false;
    }
    this.#counts = {
      unread: sum(this.#counts, delta, "unread"),
      read: sum(this.#counts, delta, "read"),
    };
    return true;
  }
}

function sum(counts: Counts, delta: Delta, status: Status): CountsBySeverity {
  const all: Record<string, number> = { ...counts[status] };
  for (const [severity, change] of Object.entries(delta[status] ?? {})) {
    const count = (all[severity] ?? 0) + change;
    if (count > 0) {
      all[severity] = count;
    } else {
      // Severities without events are omitted, as on the server.
      Reflect.deleteProperty(all, severity);
    }
  }
  return all;
}
