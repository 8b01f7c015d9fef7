import { type EventFilter, SEVERITIES, queryOf } from "../api/filter.js";
import type { Event, Severity } from "../api/schema.js";
import type { Counts } from "../stream/counts.js";
import { URGENT } from "./settings.js";

/** As many are looked at all; of more than these only the urgent ones. */
const FEW = 200;

/**
 * The filter for unread events further down than the loaded ones, which may be steps of operations on
 * screen; `undefined` where there are none. Of many only those that call for somebody are asked for.
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
    // The counts know severities only: of a narrower filter this is the most there can be.
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
