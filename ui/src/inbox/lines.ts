import { SEVERITIES } from "../api/filter.js";
import type { Event } from "../api/event.js";
import type { Severity } from "../api/schema.js";

/** A line of the list: an operation, or one of its steps if the operation is expanded. */
export interface Line {
  /** The step that the line shows: the newest one. */
  readonly event: Event;
  /** The known steps, newest first. Actions on the line apply to all of them. */
  readonly steps: readonly Event[];
  /** The number of known older steps. */
  readonly older: number;
  /** Whether the line is an older step. */
  readonly isOlder: boolean;
  /** The number of unread steps. */
  readonly unread: number;
  /** The severity of the worst unread step, or of the newest step if all are read. */
  readonly severity: Severity;
}

/**
 * Folds the events of each operation under its newest event. Operations in `open` are
 * expanded. `further` returns steps of an operation that are older than the loaded list.
 */
export function linesOf(
  events: readonly Event[],
  open: ReadonlySet<string>,
  further: (operationId: string) => readonly Event[] = () => [],
): Line[] {
  const operations = new Map<string, Event[]>();
  for (const event of events) {
    const steps = operations.get(event.operationId);
    if (steps) {
      steps.push(event);
    } else {
      operations.set(event.operationId, [event]);
    }
  }
  const lines: Line[] = [];
  for (const [operationId, loaded] of operations) {
    const others = further(operationId);
    const steps = others.length > 0 ? [...loaded, ...others] : loaded;
    lines.push(lineOf(steps, false));
    if (open.has(operationId)) {
      lines.push(...steps.slice(1).map((step) => lineOf([step], true)));
    }
  }
  return lines;
}

function lineOf(steps: readonly Event[], isOlder: boolean): Line {
  const event = steps[0];
  if (!event) {
    throw new Error("a line has a step");
  }
  if (steps.length === 1) {
    const unread = event.status === "unread" ? 1 : 0;
    return { event, steps, older: 0, isOlder, unread, severity: event.severity };
  }
  const unread = steps.filter(({ status }) => status === "unread");
  const worst = unread.reduce<Event>(
    (worst, step) => (rankOf(step.severity) < rankOf(worst.severity) ? step : worst),
    unread[0] ?? event,
  );
  return {
    event,
    steps,
    older: steps.length - 1,
    isOlder,
    unread: unread.length,
    severity: worst.severity,
  };
}

/** Sorts by urgency; unknown severities come last. */
export function rankOf(severity: Severity): number {
  const rank = SEVERITIES.indexOf(severity);
  return rank < 0 ? SEVERITIES.length : rank;
}
