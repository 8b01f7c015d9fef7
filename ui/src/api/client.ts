import { type Access, authorized } from "./credential.js";
import { ApiError, errorOf } from "./error.js";
import { type Event, type EventKey, partsOf, withOwnerKind } from "./event.js";
import { type EventFilter, queryOf } from "./filter.js";
import type {
  ChangeFilter,
  Cursor,
  EventPage as StoredPage,
  Event as StoredEvent,
  EventTypes,
  InboxSummary,
  NewEvent,
  Status,
} from "./schema.js";

const EVENTS = "/api/system/events";

/** The bulk endpoints, which return the number of changed events. */
const MARK = "/api/events/status";
const REMOVE = "/api/events/delete";

/** The maximum number of ids in one change request. */
const MAX_IDS = 10_000;

/** Browsers send at most 64 KiB of keepalive requests for a page that is closing. */
const MAX_IDS_LEAVING = 1_500;

/** The events that a change applies to. */
export type Selection =
  | { readonly keys: readonly EventKey[] }
  | { readonly filter: ChangeFilter; readonly upTo: Cursor }
  | { readonly all: true; readonly upTo: Cursor };

/** A page of the list. */
export interface EventPage extends Omit<StoredPage, "events"> {
  readonly events: readonly Event[];
}

/** A client of the HTTP API. Every method rejects with an {@link ApiError}. */
export class Client {
  readonly access: Access;
  /** The installation, as the last response named it. */
  #systemId: string | undefined;

  constructor(access: Access) {
    this.access = access;
  }

  /** Returns the newest matching events, or the page that follows `next`. */
  async list(
    filter: EventFilter,
    options: { next?: string; size: number; signal?: AbortSignal },
  ): Promise<EventPage> {
    const query = queryOf(filter);
    query.set("sort", "created_at");
    query.set("order", "desc");
    query.set("pagesize", String(options.size));
    if (options.next) {
      query.set("next", options.next);
      query.set("count", "none");
    }
    const response = await this.#ask(`${EVENTS}?${query}`, { signal: options.signal ?? null });
    const page = (await response.json()) as StoredPage;
    this.#systemId = page.systemId;
    return { ...page, events: page.events.map((event) => this.told(event)) };
  }

  /** Returns the event with a key or a plain id, which means the user's own event before the system's. */
  async get(name: string): Promise<Event> {
    if (this.#systemId === undefined) {
      await this.summary();
    }
    const { id, ownerKind } = partsOf(name);
    const query = ownerKind ? `?ownerKind=${ownerKind}` : "";
    const response = await this.#ask(`${EVENTS}/${encodeURIComponent(id)}${query}`, {});
    return this.told((await response.json()) as StoredEvent);
  }

  /** Adds to an event of a response or the stream whether it is the user's own or the system's. */
  told(event: StoredEvent): Event {
    return withOwnerKind(event, this.#systemId ?? event.systemId);
  }

  async summary(): Promise<InboxSummary> {
    const response = await this.#ask(`${EVENTS}/summary`, {});
    const summary = (await response.json()) as InboxSummary;
    this.#systemId = summary.systemId;
    return summary;
  }

  async types(): Promise<EventTypes> {
    const response = await this.#ask(`${EVENTS}/types`, {});
    return (await response.json()) as EventTypes;
  }

  async publish(event: NewEvent): Promise<void> {
    await this.#send("POST", EVENTS, event);
  }

  /** Returns the number of changed events. */
  async mark(selection: Selection, status: Status): Promise<number> {
    return this.#change(selection, MAX_IDS, (part) =>
      this.#send("PUT", MARK, { ...part, status }),
    );
  }

  /**
   * Returns the number of deleted events. With `leaving`, the request outlives the page, which
   * browsers allow for 64 KiB.
   */
  async remove(selection: Selection, leaving = false): Promise<number> {
    return this.#change(selection, leaving ? MAX_IDS_LEAVING : MAX_IDS, (part) =>
      this.#send("POST", REMOVE, part, leaving),
    );
  }

  /** Exchanges a token for a session cookie. */
  async signIn(token: string): Promise<void> {
    await this.#ask("/session", {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
  }

  async signOut(): Promise<void> {
    await this.#ask("/session", { method: "DELETE" });
  }

  async #change(
    selection: Selection,
    most: number,
    send: (part: object) => Promise<Response>,
  ): Promise<number> {
    const parts: object[] = [];
    if ("keys" in selection) {
      parts.push(...partsOfKeys(selection.keys, most));
    } else {
      parts.push(selection);
    }
    let count = 0;
    for (const part of parts) {
      const response = await send(part);
      count += ((await response.json()) as { count: number }).count;
    }
    return count;
  }

  async #send(method: string, path: string, body: unknown, keepalive = false): Promise<Response> {
    return this.#ask(path, {
      method,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
      keepalive,
    });
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const shown = headers.has("authorization")
      ? { ...init, credentials: "same-origin" as const }
      : await authorized(this.access, init);
    let response: Response;
    try {
      response = await fetch(this.access.server + path, shown);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") {
        throw error;
      }
      throw new ApiError("The server cannot be reached", 0, "unreachable");
    }
    if (!response.ok) {
      throw await errorOf(response);
    }
    return response;
  }
}

/** The bodies that select these events, each with at most `most` ids. */
function partsOfKeys(keys: readonly EventKey[], most: number): object[] {
  const parts: { ids: string[]; systemIds: string[] }[] = [];
  let part = { ids: [] as string[], systemIds: [] as string[] };
  for (const key of keys) {
    const { id, ownerKind } = partsOf(key);
    if (part.ids.length === 0 || part.ids.length + part.systemIds.length + 2 > most) {
      part = { ids: [], systemIds: [] };
      parts.push(part);
    }
    part.ids.push(id);
    // Always given, so that `ids` never means another event with the same id.
    if (ownerKind === "system") {
      part.systemIds.push(id);
    }
  }
  return parts;
}
