import { SEVERITIES } from "../api/filter.js";
import type { Event, Severity } from "../api/schema.js";

/** A line of the list on screen: an operation, or one of its steps where these are shown. */
export interface Line {
  /** What the line shows: the newest step. */
  readonly event: Event;
  /** All the steps that are known, the newest first; what is done to the line is done to all. */
  readonly steps: readonly Event[];
  /** How many steps are known under this one. */
  readonly older: number;
  /** Whether it is one of those. */
  readonly isOlder: boolean;
  /** How many steps are unread. */
  readonly unread: number;
  /** That of the worst unread step, or of the newest where all are read. */
  readonly severity: Severity;
}

/**
 * The list with the events of one operation under its newest; those of the operations in `open` are
 * shown. `further` gives steps of an operation that are older than what is loaded of the list.
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

/** The most urgent first; a severity that this page does not know comes last. */
export function rankOf(severity: Severity): number {
  const rank = SEVERITIES.indexOf(severity);
  return rank < 0 ? SEVERITIES.length : rank;
}
