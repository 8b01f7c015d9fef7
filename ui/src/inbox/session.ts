import { Client } from "../api/client.js";
import type { Access, GetToken } from "../api/credential.js";
import { ApiError } from "../api/error.js";
import type { Event } from "../api/event.js";
import { pathOfServer } from "../api/here.js";
import type { Cursor } from "../api/schema.js";
import { Backoff } from "../stream/backoff.js";
import { Counter, type Counts } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import type { StreamState } from "../stream/follow.js";
import { Feed, type FeedOptions } from "../tabs/feed.js";

/** The callbacks of a part of the page. Every method is optional. */
export interface SessionListener {
  frame?(frame: Frame<Event>): void;
  /** The counts, the state or the error changed. */
  changed?(): void;
  /** The list can be incomplete or belong to another user: reload it. */
  reload?(why: "missed" | "restarted"): void;
}

/**
 * Shared by all parts of a page that show one inbox: the live stream, the counts and the signed-in user.
 */
export class Session {
  readonly client: Client;
  readonly #feed: Feed;
  readonly #listeners = new Set<SessionListener>();
  #counter = new Counter();
  #state: StreamState = "connecting";
  #error: ApiError | undefined;
  #cursor: Cursor | undefined;
  #beginning: Promise<unknown> | undefined;
  /** Whether a stream is open; its state then applies. */
  #isFollowing = false;
  /** The number of start attempts; only the newest one continues. */
  #attempt = 0;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #hasCounts: Counts | undefined;

  constructor(access: Access, options: FeedOptions = {}) {
    this.client = new Client(access);
    const listener = {
      frame: (frame: Frame) => this.#take(frame),
      state: (state: StreamState, error?: ApiError) => this.#setState(state, error),
      gap: () => void this.#again("missed"),
    };
    this.#feed = new Feed(access, listener, options);
  }

  get counts(): Counts | undefined {
    return this.#hasCounts;
  }

  get state(): StreamState {
    return this.#state;
  }

  get error(): ApiError | undefined {
    return this.#error;
  }

  /** Whether no part of the page uses the session. */
  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  /** The page's cursor: earlier changes are shown or included in the counts. */
  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  /** Subscribes a listener until the returned function is called. The connection stays open as long. */
  listen(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) {
        this.#end();
      }
    };
  }

  /**
   * Runs a request whose response carries a cursor. The stream starts at the first response; later requests
   * are sent after it has started, so that no change falls between them and the stream.
   */
  async ask<T extends { cursor: Cursor }>(request: () => Promise<T>): Promise<T> {
    const earlier = this.#beginning;
    if (earlier) {
      await earlier.catch(() => undefined);
      if (this.#cursor !== undefined) {
        return this.#guarded(request);
      }
    }
    const first = this.#guarded(request).then((response) => {
      this.#begin(response.cursor);
      return response;
    });
    this.#beginning = first;
    try {
      return await first;
    } catch (error) {
      if (this.#beginning === first) {
        this.#beginning = undefined;
        if (!(error instanceof ApiError) || error.isPassing) {
          void this.#again("missed");
        }
      }
      throw error;
    }
  }

  /**
   * Follows for parts of the page that show no list. If another part lists, its request alone starts
   * the stream, which saves one round trip.
   */
  async open(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    if (this.#beginning) {
      await this.#beginning;
    } else {
      await this.ask(() => this.client.summary());
    }
  }

  /** Restarts after a sign-in or sign-out. */
  async restart(): Promise<void> {
    this.#end();
    this.#cursor = undefined;
    this.#counter = new Counter();
    this.#hasCounts = undefined;
    this.#setState("connecting");
    await this.#again("restarted");
  }

  /** Records what a failed request reveals about the sign-in state, and rethrows the failure. */
  async #guarded<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (this.#isFollowing) {
        // The stream's own state takes precedence.
      } else if (error instanceof ApiError && error.isSignedOut) {
        this.#setState("signed-out", error);
      } else if (error instanceof ApiError && error.isPassing) {
        this.#setState("waiting", error);
      }
      throw error;
    }
  }

  #end(): void {
    this.#feed.stop();
    this.#isFollowing = false;
    this.#beginning = undefined;
    this.#attempt += 1;
  }

  #begin(cursor: Cursor, takeOver = false): void {
    // The caller may have unsubscribed meanwhile.
    if (!this.isIdle) {
      this.#cursor = cursor;
      this.#isFollowing = true;
      this.#feed.start(cursor, takeOver);
    }
  }

  /** Starts the stream at the server's current position and reloads the list. */
  async #again(why: "missed" | "restarted"): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const backoff = new Backoff();
    while (attempt === this.#attempt && !this.isIdle) {
      try {
        const summary = await this.#guarded(() => this.client.summary());
        if (attempt === this.#attempt) {
          this.#hasCounts = { unread: summary.unread, read: summary.read };
          this.#begin(summary.cursor, why === "restarted");
          this.#beginning = Promise.resolve();
          for (const listener of this.#listeners) {
            listener.reload?.(why);
          }
          this.#tell();
        }
        return;
      } catch (error) {
        // The host may have a token later.
        if (error instanceof ApiError && !error.isPassing) {
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
  }

  #take(frame: Frame): void {
    this.#cursor = frame.cursor;
    const counted = this.#counter.take(frame);
    if (counted) {
      this.#hasCounts = this.#counter.counts;
    }
    const told = this.#told(frame);
    for (const listener of this.#listeners) {
      listener.frame?.(told);
    }
    if (counted) {
      this.#tell();
    }
  }

  #told(frame: Frame): Frame<Event> {
    switch (frame.kind) {
      case "event":
        return { ...frame, event: this.client.told(frame.event) };
      case "updated":
        return { ...frame, change: { ...frame.change, event: this.client.told(frame.change.event) } };
      default:
        return frame;
    }
  }

  #setState(state: StreamState, error?: ApiError): void {
    this.#state = state;
    this.#error = error;
    this.#tell();
  }

  /** Batches notifications of one turn. */
  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const listener of this.#listeners) {
        listener.changed?.();
      }
    });
  }
}

/** Removes a trailing slash, and the query and fragment of the page's own address. */
function addressOf(server: string): string {
  const page = (globalThis.location as Location | undefined)?.href;
  if (server === "" && page === undefined) {
    throw new Error("`server` is missing: without a page there is no default, so give the server's address");
  }
  const path = server === "" ? pathOfServer(import.meta.url, page ?? "") : server;
  const { origin, pathname } = new URL(path, page);
  return (origin + pathname).replace(/\/+$/, "");
}

const sessions = new Map<string, { getToken: GetToken | undefined; session: Session }[]>();

/**
 * Returns the session shared by all parts of this page with the same server and callback. Without a server, it is the
 * one that serves the script, or else the page.
 */
export function sessionOf(server = "", getToken?: GetToken): Session {
  const address = addressOf(server);
  const all = sessions.get(address) ?? [];
  const same = all.filter((entry) => entry.getToken === getToken || !entry.session.isIdle);
  sessions.set(address, same);
  let found = same.find((entry) => entry.getToken === getToken);
  if (!found) {
    found = { getToken, session: new Session({ server: address, getToken }) };
    same.push(found);
  }
  return found.session;
}
