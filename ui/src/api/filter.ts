import type { Selection } from "./client.js";
import type { Event } from "./event.js";
import type { ChangeFilter, Cursor, OwnerKind, Severity, Status } from "./schema.js";

/** The severities, most urgent first. */
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

/** Selects events. An absent or empty field matches every event. */
export interface EventFilter {
  readonly severity?: readonly Severity[];
  readonly status?: Status;
  readonly category?: readonly string[];
  readonly action?: readonly string[];
  readonly ownerKind?: OwnerKind;
  readonly operationId?: string;
  /** Created at or after this time (RFC 3339). */
  readonly from?: string;
  /** Created before this time (RFC 3339). */
  readonly to?: string;
  /** A substring of the description. */
  readonly search?: string;
}

const LISTS = ["severity", "category", "action"] as const;
const TEXTS = ["status", "ownerKind", "operationId", "from", "to", "search"] as const;

/** Encodes the filter as query parameters of the list. */
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

/** Decodes the filter from query parameters; invalid values are ignored. */
export function filterOf(query: URLSearchParams): EventFilter {
  const filter: Record<string, unknown> = {};
  for (const name of LISTS) {
    const values = query.getAll(name).flatMap(listOf);
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

/** Encodes the filter for the body of a change. The server rejects empty fields, so they are left out. */
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

/** Copies the known fields of a filter, because the host may modify its object later. */
export function copyOf(filter: EventFilter): EventFilter {
  return changeFilterOf(filter);
}

/** Hosts without type checking may pass a string where a list is expected. */
function valuesOf(values: readonly string[] | string | undefined): string[] {
  return typeof values === "string" ? [values].filter(Boolean) : [...(values ?? [])];
}

/** Selects the events that match up to a cursor; all events if the filter is empty. */
export function selectionOf(filter: EventFilter, upTo: Cursor): Selection {
  return isEmpty(filter) ? { all: true, upTo } : { filter: changeFilterOf(filter), upTo };
}

/** Whether two filters select the same events, regardless of notation. */
export function isSame(one: EventFilter, other: EventFilter): boolean {
  return keyOf(one) === keyOf(other);
}

/** A canonical key: equal for filters that select the same events, regardless of list order. */
export function keyOf(filter: EventFilter): string {
  const lists = LISTS.map((name) => [name, [...new Set(valuesOf(filter[name]))].sort()]);
  const texts = TEXTS.map((name) => [name, filter[name] ?? ""]);
  return JSON.stringify([...lists, ...texts]);
}

/** Whether the filter matches every event. */
export function isEmpty(filter: EventFilter): boolean {
  return queryOf(filter).size === 0;
}

/** Whether the server would list the event under this filter. */
export function matches(filter: EventFilter, event: Event): boolean {
  const { severity, status, category, action, ownerKind, operationId, from, to, search } = filter;
  return (
    isAmong(severity, event.severity) &&
    isAmong(category, event.category) &&
    isAmong(action, event.action) &&
    (!status || event.status === status) &&
    (!ownerKind || event.ownerKind === ownerKind) &&
    (!operationId || event.operationId === operationId) &&
    (!from || Date.parse(event.createdAt) >= Date.parse(from)) &&
    (!to || Date.parse(event.createdAt) < Date.parse(to)) &&
    (!search || folded(event.description).includes(folded(search)))
  );
}

function isAmong<T>(values: readonly T[] | undefined, value: T): boolean {
  return !values?.length || values.includes(value);
}

/** Converts to upper case first, so that `STRASSE` matches `Straße` as on the server. */
function folded(text: string): string {
  return text.toUpperCase().toLowerCase();
}

export function isSeverity(text: string): text is Severity {
  return (SEVERITIES as readonly string[]).includes(text);
}

/** A JSON array as `queryOf` writes it, or names separated by commas as people do. */
function listOf(text: string): string[] {
  if (!/^\s*["{[]/.test(text)) {
    return text.split(",").map((name) => name.trim()).filter(Boolean);
  }
  try {
    const values: unknown = JSON.parse(text);
    return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
  } catch {
    return [];
  }
}

/** Whether a text is the id of an event or an operation. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function makesSense(name: (typeof TEXTS)[number], value: string): boolean {
  switch (name) {
    case "status":
      return value === "read" || value === "unread";
    case "ownerKind":
      return value === "user" || value === "system";
    case "operationId":
      return isId(value);
    case "from":
    case "to":
      return !Number.isNaN(Date.parse(value)) && /T.*(Z|[+-]\d\d:\d\d)$/i.test(value);
    case "search":
      return new TextEncoder().encode(value).length <= 256;
  }
}
