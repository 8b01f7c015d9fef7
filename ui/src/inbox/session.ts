import { Client } from "../api/client.js";
import type { Access, GetToken } from "../api/credential.js";
import { ApiError } from "../api/error.js";
import { pathOfServer } from "../api/here.js";
import type { Cursor } from "../api/schema.js";
import { Backoff } from "../stream/backoff.js";
import { Counter, type Counts } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import type { StreamState } from "../stream/follow.js";
import { Feed, type FeedOptions } from "../tabs/feed.js";

/** What a part of the page is told. Every method may be left out. */
export interface SessionListener {
  frame?(frame: Frame): void;
  /** Counts, state or error have changed. */
  changed?(): void;
  /** What was shown may lack something, or is another user's: list anew. */
  reload?(why: "missed" | "restarted"): void;
}

/**
 * What all parts of a page share that show one inbox: the live stream, the counts, and who is signed in.
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
  /** Whether there is a stream, whose state counts then. */
  #isFollowing = false;
  /** Counts the attempts to begin; only the newest goes on. */
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

  /** Whether no part of the page uses it. */
  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  /** How far the page is: what came before is shown or in the counts. */
  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  /** Tells what happens until the returned function is called. The connection lives as long. */
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
   * Asks for something that carries a cursor. The first answer is where the stream begins; later ones
   * are asked for when it has begun, so that nothing lies between them and the stream.
   */
  async ask<T extends { cursor: Cursor }>(request: () => Promise<T>): Promise<T> {
    const earlier = this.#beginning;
    if (earlier) {
      await earlier.catch(() => undefined);
      if (this.#cursor !== undefined) {
        return this.#guarded(request);
      }
    }
    const first = this.#guarded(request).then((answer) => {
      this.#begin(answer.cursor);
      return answer;
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
   * Follows, for parts of the page that list nothing. Where another part lists, that is asked for alone:
   * so the list is there one answer earlier.
   */
  async open(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    if (this.#beginning) {
      await this.#beginning;
    } else {
      await this.ask(() => this.client.summary());
    }
  }

  /** Begins anew, after somebody has signed in or out. */
  async restart(): Promise<void> {
    this.#end();
    this.#cursor = undefined;
    this.#counter = new Counter();
    this.#hasCounts = undefined;
    this.#setState("connecting");
    await this.#again("restarted");
  }

  /** Tells what a failed request says about who is signed in, and gives the failure on. */
  async #guarded<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (this.#isFollowing) {
        // The stream knows better how it goes.
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
    // Who asked may have gone meanwhile.
    if (!this.isIdle) {
      this.#cursor = cursor;
      this.#isFollowing = true;
      this.#feed.start(cursor, takeOver);
    }
  }

  /** Takes up the stream where the server is now, and has the page list what there is. */
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
        // Who has no token to give may have one later.
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
    for (const listener of this.#listeners) {
      listener.frame?.(frame);
    }
    if (counted) {
      this.#tell();
    }
  }

  #setState(state: StreamState, error?: ApiError): void {
    this.#state = state;
    this.#error = error;
    this.#tell();
  }

  /** Once for all that happens at the same time. */
  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const listener of this.#listeners) {
        listener.changed?.();
      }
    });
  }
}

/** Without the slash at its end, and without whatever the page's own address has behind its path. */
function addressOf(server: string): string {
  const path = server === "" ? pathOfServer(import.meta.url, location.href) : server;
  const { origin, pathname } = new URL(path, location.href);
  return (origin + pathname).replace(/\/+$/, "");
}

const sessions = new Map<string, { getToken: GetToken | undefined; session: Session }[]>();

/** The session that all parts of this page share which name the same server and callback. */
export function sessionOf(server: string, getToken: GetToken | undefined): Session {
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
