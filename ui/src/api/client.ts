import { type Access, authorized } from "./credential.js";
import { ApiError, errorOf } from "./error.js";
import { type EventFilter, queryOf } from "./filter.js";
import type {
  ChangeFilter,
  Cursor,
  Event,
  EventPage,
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
  | { readonly ids: readonly string[] }
  | { readonly filter: ChangeFilter; readonly upTo: Cursor }
  | { readonly all: true; readonly upTo: Cursor };

/** A client of the HTTP API. Every method rejects with an {@link ApiError}. */
export class Client {
  readonly access: Access;

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
    const answer = await this.#ask(`${EVENTS}?${query}`, { signal: options.signal ?? null });
    return (await answer.json()) as EventPage;
  }

  async get(id: string): Promise<Event> {
    const answer = await this.#ask(`${EVENTS}/${encodeURIComponent(id)}`, {});
    return (await answer.json()) as Event;
  }

  async summary(): Promise<InboxSummary> {
    const answer = await this.#ask(`${EVENTS}/summary`, {});
    return (await answer.json()) as InboxSummary;
  }

  async types(): Promise<EventTypes> {
    const answer = await this.#ask(`${EVENTS}/types`, {});
    return (await answer.json()) as EventTypes;
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
    send: (part: Selection) => Promise<Response>,
  ): Promise<number> {
    const parts: Selection[] = [];
    if ("ids" in selection) {
      for (let begin = 0; begin < selection.ids.length; begin += most) {
        parts.push({ ids: selection.ids.slice(begin, begin + most) });
      }
    } else {
      parts.push(selection);
    }
    let count = 0;
    for (const part of parts) {
      const answer = await send(part);
      count += ((await answer.json()) as { count: number }).count;
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
    let answer: Response;
    try {
      answer = await fetch(this.access.server + path, shown);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") {
        throw error;
      }
      throw new ApiError("The server cannot be reached", 0, "unreachable");
    }
    if (!answer.ok) {
      throw await errorOf(answer);
    }
    return answer;
  }
}
