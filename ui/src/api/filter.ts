import type { Selection } from "./client.js";
import type { ChangeFilter, Cursor, Event, OwnerKind, Severity, Status } from "./schema.js";

/** The severities, the most urgent first. */
export const SEVERITIES = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "success",
  "informational",
  "debug",
] as const satisfies readonly Severity[];

/** Which events are to be shown. What is absent or empty holds nothing back. */
export interface EventFilter {
  readonly severity?: readonly Severity[];
  readonly status?: Status;
  readonly category?: readonly string[];
  readonly action?: readonly string[];
  readonly ownerKind?: OwnerKind;
  readonly operationId?: string;
  /** Created at this time, in RFC 3339, or later. */
  readonly from?: string;
  /** Created before this time. */
  readonly to?: string;
  /** A text in the description. */
  readonly search?: string;
}

const LISTS = ["severity", "category", "action"] as const;
const TEXTS = ["status", "ownerKind", "operationId", "from", "to", "search"] as const;

/** The filter as the list's parameters. */
export function queryOf(filter: EventFilter): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of LISTS) {
    const values = filter[name];
    if (values?.length) {
      query.set(name, JSON.stringify(values));
    }
  }
  for (const name of TEXTS) {
    const value = filter[name];
    if (value) {
      query.set(name, value);
    }
  }
  return query;
}

/** The filter in the parameters of an address; what makes no sense there is passed over. */
export function filterOf(query: URLSearchParams): EventFilter {
  const filter: Record<string, unknown> = {};
  for (const name of LISTS) {
    const values = listOf(query.get(name));
    const known = name === "severity" ? values.filter(isSeverity) : values;
    if (known.length) {
      filter[name] = known;
    }
  }
  for (const name of TEXTS) {
    const value = query.get(name);
    if (value && makesSense(name, value)) {
      filter[name] = value;
    }
  }
  return filter;
}

/** The filter in the body of a change, which the server refuses where anything in it is empty. */
export function changeFilterOf(filter: EventFilter): ChangeFilter {
  const body: Record<string, unknown> = {};
  for (const name of LISTS) {
    const values = valuesOf(filter[name]);
    if (values.length > 0) {
      body[name] = values;
    }
  }
  for (const name of TEXTS) {
    if (filter[name]) {
      body[name] = filter[name];
    }
  }
  return body;
}

/** A filter of its own with what is known in another, which its owner may change later. */
export function copyOf(filter: EventFilter): EventFilter {
  return changeFilterOf(filter);
}

/** Hosts without types may give one text where several are possible. */
function valuesOf(values: readonly string[] | string | undefined): string[] {
  return typeof values === "string" ? [values].filter(Boolean) : [...(values ?? [])];
}

/** What a change is about: all that match, or all there are where nothing is held back, up to a cursor. */
export function selectionOf(filter: EventFilter, upTo: Cursor): Selection {
  return isEmpty(filter) ? { all: true, upTo } : { filter: changeFilterOf(filter), upTo };
}

/** Whether two filters ask for the same, however they are written. */
export function isSame(one: EventFilter, other: EventFilter): boolean {
  return keyOf(one) === keyOf(other);
}

/** A text that is the same for all filters that ask for the same: the order of a list does not count. */
export function keyOf(filter: EventFilter): string {
  const lists = LISTS.map((name) => [name, [...new Set(valuesOf(filter[name]))].sort()]);
  const texts = TEXTS.map((name) => [name, filter[name] ?? ""]);
  return JSON.stringify([...lists, ...texts]);
}

/** Whether nothing is held back. */
export function isEmpty(filter: EventFilter): boolean {
  return queryOf(filter).size === 0;
}

/** Whether the server would list the event. */
export function matches(filter: EventFilter, event: Event): boolean {
  const { severity, status, category, action, ownerKind, operationId, from, to, search } = filter;
  return (
    isAmong(severity, event.severity) &&
    isAmong(category, event.category) &&
    isAmong(action, event.action) &&
    (!status || event.status === status) &&
    (!ownerKind || ownerKindOf(event) === ownerKind) &&
    (!operationId || event.operationId === operationId) &&
    (!from || Date.parse(event.createdAt) >= Date.parse(from)) &&
    (!to || Date.parse(event.createdAt) < Date.parse(to)) &&
    (!search || folded(event.description).includes(folded(search)))
  );
}

/** Whether an event is the user's own or the system's, which every user sees. */
export function ownerKindOf(event: Event): OwnerKind {
  return !event.owner || event.owner === event.systemId ? "system" : "user";
}

function isAmong<T>(values: readonly T[] | undefined, value: T): boolean {
  return !values?.length || values.includes(value);
}

/** Upper case first: so `STRASSE` is found in `Straße`, as the server finds it. */
function folded(text: string): string {
  return text.toUpperCase().toLowerCase();
}

export function isSeverity(text: string): text is Severity {
  return (SEVERITIES as readonly string[]).includes(text);
}

function listOf(text: string | null): string[] {
  try {
    const values: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
  } catch {
    return [];
  }
}

function makesSense(name: (typeof TEXTS)[number], value: string): boolean {
  switch (name) {
    case "status":
      return value === "read" || value === "unread";
    case "ownerKind":
      return value === "user" || value === "system";
    case "operationId":
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
    case "from":
    case "to":
      return !Number.isNaN(Date.parse(value)) && /T.*(Z|[+-]\d\d:\d\d)$/i.test(value);
    case "search":
      return new TextEncoder().encode(value).length <= 256;
  }
}
