import { type EventFilter, isEmpty } from "../api/filter.js";
import type { Status } from "../api/schema.js";
import { type Counts, totalOf } from "../stream/counts.js";

/** The number of events that match a filter of status and severity; `undefined` for other filters. */
export function countedBy(filter: EventFilter, counts: Counts): number | undefined {
  const { severity, status, ...others } = filter;
  if (!isEmpty(others)) {
    return undefined;
  }
  const statuses: readonly Status[] = status ? [status] : ["unread", "read"];
  const count = (each: Status): number =>
    severity?.length
      ? severity.reduce((sum, one) => sum + (counts[each][one] ?? 0), 0)
      : totalOf(counts[each]);
  return statuses.reduce((sum, each) => sum + count(each), 0);
}
