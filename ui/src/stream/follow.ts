import { type Access, authorized, tokenOf } from "../api/credential.js";
import { ApiError, errorOf } from "../api/error.js";
import { Backoff } from "./backoff.js";
import { type Frame, FrameReader } from "./frame.js";

/** The server sends a comment every 15 seconds; a stream without a byte for this time is dead. */
const SILENCE = 45_000;

/** The minimum interval between requests for another token, in milliseconds. */
const LEAST_ASKING = 1_000;

/** The state of a stream. */
export type StreamState =
  /** Connecting. */
  | "connecting"
  /** The replay is complete, and changes arrive immediately. */
  | "live"
  /** The connection is lost and will be retried. */
  | "waiting"
  /** The server requires another token or a sign-in. */
  | "signed-out"
  /** The server rejects the stream permanently. */
  | "refused";

export interface Follower {
  /** Handles a frame. The stream resumes from its cursor. */
  frame(frame: Frame): void;
  state(state: StreamState, error?: ApiError): void;
}

export interface FollowOptions {
  readonly silence?: number;
  readonly backoff?: Backoff;
}

/**
 * Follows a live stream from a cursor until `signal` is aborted, across lost connections,
 * restarts, silence and expiring tokens.
 *
 * Uses `fetch`, because `EventSource` can neither send a token nor detect a rejection or silence.
 */
export async function follow(
  access: Access,
  cursor: string,
  follower: Follower,
  signal: AbortSignal,
  options: FollowOptions = {},
): Promise<void> {
  const backoff = options.backoff ?? new Backoff();
  const connection = new Connection(access, follower, backoff, options.silence ?? SILENCE);
  connection.cursor = cursor;
  while (!signal.aborted) {
    follower.state("connecting");
    const ended = await connection.run(signal);
    if (ended === "aborted") {
      return;
    }
    if (ended instanceof ApiError && !ended.isPassing) {
      follower.state(ended.isSignedOut ? "signed-out" : "refused", ended);
      if (!ended.isSignedOut || !(await hasOtherToken(access, connection.shown, backoff, signal))) {
        return;
      }
      continue;
    }
    // After the `expiring` frame, the stream is reopened immediately.
    if (ended !== "expired") {
      follower.state("waiting");
      await pause(backoff.next(), signal);
    }
  }
}

/** Waits for a token other than the rejected one; forever if the page has no callback. */
async function hasOtherToken(
  { getToken }: Access,
  rejected: string | null,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<boolean> {
  while (getToken && !signal.aborted) {
    await pause(Math.max(backoff.next(), LEAST_ASKING), signal);
    const token = await tokenOf(getToken).catch(() => null);
    if (token !== null && `Bearer ${token}` !== rejected) {
      return true;
    }
  }
  return false;
}

/** What tells that the browser is online; absent outside a browser. */
const page = globalThis as Partial<Pick<Window, "addEventListener" | "removeEventListener">>;

/** Waits, but returns early if the browser comes online or the signal is aborted. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      page.removeEventListener?.("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    page.addEventListener?.("online", done);
    signal.addEventListener("abort", done);
  });
}

class Connection {
  cursor = "";
  /** The last token sent. */
  shown: string | null = null;
  readonly #access: Access;
  readonly #follower: Follower;
  readonly #backoff: Backoff;
  readonly #silence: number;

  constructor(access: Access, follower: Follower, backoff: Backoff, silence: number) {
    this.#access = access;
    this.#follower = follower;
    this.#backoff = backoff;
    this.#silence = silence;
  }

  /** Runs one connection and returns why it ended. */
  async run(signal: AbortSignal): Promise<ApiError | "lost" | "expired" | "aborted"> {
    const connection = new AbortController();
    const stop = (): void => {
      connection.abort();
    };
    signal.addEventListener("abort", stop);
    let watchdog = setTimeout(stop, this.#silence);
    const awake = (): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(stop, this.#silence);
    };
    try {
      const request = await authorized(this.#access, {
        headers: { accept: "text/event-stream", "last-event-id": this.cursor },
        cache: "no-store",
        signal: connection.signal,
      });
      this.shown = new Headers(request.headers).get("authorization");
      const response = await fetch(`${this.#access.server}/api/system/events/subscribe`, request);
      awake();
      if (!response.ok) {
        return await errorOf(response);
      }
      if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
        return new ApiError("The response is not an event stream", response.status, "unreadable");
      }
      return await this.#read(response.body, awake, signal);
    } catch {
      return signal.aborted ? "aborted" : "lost";
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", stop);
      connection.abort();
    }
  }

  async #read(
    body: ReadableStream<Uint8Array>,
    awake: () => void,
    signal: AbortSignal,
  ): Promise<"lost" | "expired" | "aborted"> {
    const frames = new FrameReader();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let expired = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return expired ? "expired" : "lost";
      }
      awake();
      for (const message of frames.read(decoder.decode(value, { stream: true }))) {
        if (signal.aborted) {
          return "aborted";
        }
        if (message.kind === "retry") {
          this.#backoff.name(message.delay);
          continue;
        }
        const { frame } = message;
        this.#backoff.succeeded();
        expired = frame.kind === "expiring";
        this.#follower.frame(frame);
        this.cursor = frame.cursor;
        if (frame.kind === "live") {
          this.#follower.state("live");
        }
      }
    }
  }
}
