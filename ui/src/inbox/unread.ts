import { type EventFilter, SEVERITIES, queryOf } from "../api/filter.js";
import type { Event } from "../api/event.js";
import type { Severity } from "../api/schema.js";
import type { Counts } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import { URGENT } from "./settings.js";

/** Up to this number, all unread events are loaded; beyond it, only urgent ones. */
const FEW = 200;

/** Whether unread events can be below the loaded ones since this frame, or since the replay that it ends. */
export function revealsUnread(frame: Frame<Event>, isUnknown: (event: Event) => boolean): boolean {
  if (frame.kind !== "updated") {
    return frame.kind === "live";
  }
  const { event, unread } = frame.change;
  return Object.keys(unread ?? {}).length > 0 && isUnknown(event);
}

/**
 * Returns the filter for unread events below the loaded ones, which can be steps of visible
 * operations; `undefined` if there are none. If there are many, it selects only the urgent severities.
 */
export function furtherUnread(
  filter: EventFilter,
  loaded: readonly Event[],
  counts: Counts,
): EventFilter | undefined {
  const last = loaded.at(-1);
  if (!last || filter.status === "read") {
    return undefined;
  }
  const { severity } = filter;
  const others: EventFilter = { ...filter, severity: [] };
  const asked: readonly Severity[] = severity?.length ? severity : SEVERITIES;
  const further = (severities: readonly Severity[]): number => {
    const isAmong = (event: Event): boolean =>
      event.status === "unread" && severities.includes(event.severity);
    const all = severities.reduce((sum, each) => sum + (counts.unread[each] ?? 0), 0);
    // Counts exist per severity only, so for a narrower filter this is an upper bound.
    return all - loaded.filter(isAmong).length;
  };
  const isCounted = queryOf(others).size <= (filter.status ? 1 : 0);
  const wanted = isCounted && further(asked) <= FEW ? asked : asked.filter((each) => URGENT.includes(each));
  if (wanted.length === 0 || further(wanted) <= 0) {
    return undefined;
  }
  const isEarlier = filter.to && Date.parse(filter.to) < Date.parse(last.createdAt);
  const to = isEarlier ? filter.to : last.createdAt;
  return { ...others, status: "unread", severity: wanted, to };
}
