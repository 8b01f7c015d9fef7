import type { Event } from "../api/schema.js";

/** A line of the list on screen. */
export interface Line {
  readonly event: Event;
  /** How many older events of the same operation are loaded and under this one. */
  readonly older: number;
  /** Whether it is one of those. */
  readonly isOlder: boolean;
}

/**
 * The list with the events of one operation under its newest; those of the operations in `open` are
 * shown.
 */
export function linesOf(events: readonly Event[], open: ReadonlySet<string>): Line[] {
  const older = new Map<string, Event[]>();
  const newest: Event[] = [];
  for (const event of events) {
    const others = older.get(event.operationId);
    if (others) {
      others.push(event);
    } else {
      older.set(event.operationId, []);
      newest.push(event);
    }
  }
  const lines: Line[] = [];
  for (const event of newest) {
    const others = older.get(event.operationId) ?? [];
    lines.push({ event, older: others.length, isOlder: false });
    if (open.has(event.operationId)) {
      lines.push(...others.map((other) => ({ event: other, older: 0, isOlder: true })));
    }
  }
  return lines;
}
