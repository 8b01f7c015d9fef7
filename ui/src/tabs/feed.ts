import { tagOf } from "../api/cursor.js";
import type { Access } from "../api/credential.js";
import type { ApiError } from "../api/error.js";
import type { Backoff } from "../stream/backoff.js";
import { Counter } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import { type StreamState, follow } from "../stream/follow.js";
import { type Environment, browser } from "./environment.js";
import type { Step, TabMessage } from "./message.js";

/** The protocol version, part of the channel's name; increase it when the messages change. */
const PROTOCOL = 2;

/** The heartbeat interval of the tab with the connection, in milliseconds. */
const ALIVE_INTERVAL = 1_500;

/** After this time without a heartbeat, a visible tab takes over the connection; the leader may be frozen. */
const FROZEN_AFTER = 5_000;

/** The number of frames kept for tabs that start slightly behind. */
const KEPT_STEPS = 1_000;

/** How long a tab that is ahead of the connection waits for it, in milliseconds. */
const AHEAD = 1_000;

/** The callbacks of a feed. */
export interface FeedListener {
  /** Receives every step once and in order, from the cursor at which the feed was started. */
  frame(frame: Frame): void;
  state(state: StreamState, error?: ApiError): void;
  /** Steps may be missing: reload the list and start from its cursor. */
  gap(): void;
}

export interface FeedOptions {
  readonly environment?: Environment;
  readonly backoff?: Backoff;
}

/**
 * The live stream, with one connection for all tabs of the browser that show the same inbox.
 *
 * The tab that holds a Web Lock has the connection and forwards frames over a BroadcastChannel.
 * Both names contain the server and the cursor's tag, which identifies one user of one store.
 */
export class Feed {
  readonly #access: Access;
  readonly #listener: FeedListener;
  readonly #environment: Environment;
  readonly #backoff: Backoff | undefined;
  #part: Part | undefined;

  constructor(access: Access, listener: FeedListener, options: FeedOptions = {}) {
    this.#access = access;
    this.#listener = listener;
    this.#environment = options.environment ?? browser;
    this.#backoff = options.backoff;
  }

  /**
   * Restarts after `cursor`. With `takeOver`, this tab takes the connection,
   * because a user has just signed in here.
   */
  start(cursor: string, takeOver = false): void {
    this.#part?.end();
    const { locks } = this.#environment;
    const follower = {
      access: this.#access,
      listener: this.#listener,
      cursor,
      ...(this.#backoff ? { backoff: this.#backoff } : {}),
    };
    this.#part = locks
      ? new Shared(follower, locks, this.#environment, takeOver)
      : new Alone(follower);
  }

  /** Stops; another tab takes over the connection. */
  stop(): void {
    this.#part?.end();
    this.#part = undefined;
  }
}

interface Part {
  end(): void;
}

interface Start {
  readonly access: Access;
  readonly listener: FeedListener;
  readonly cursor: string;
  readonly backoff?: Backoff;
}

/** A connection used by this tab only. */
class Alone implements Part {
  readonly #stop = new AbortController();

  constructor({ access, listener, cursor, backoff }: Start) {
    void follow(
      access,
      cursor,
      {
        frame(frame) {
          listener.frame(frame);
          if (frame.kind === "reset") {
            listener.gap();
          }
        },
        state: (state, error) => listener.state(state, error),
      },
      this.#stop.signal,
      backoff ? { backoff } : {},
    );
  }

  end(): void {
    this.#stop.abort();
  }
}

/** A tab that shares a connection. */
class Shared implements Part {
  readonly #start: Start;
  readonly #locks: Pick<LockManager, "request">;
  readonly #environment: Environment;
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  readonly #tab = crypto.randomUUID();
  readonly #ended = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #cursor: string;
  #counter = new Counter();
  #state: StreamState = "connecting";
  /** Closes this tab's connection, if any. */
  #leading: AbortController | undefined;
  /** The newest steps, for tabs that start slightly behind. */
  #steps: Step[] = [];
  /** Whether this tab is synchronized with the leader. */
  #isWelcome = false;
  #heard = Date.now();
  #waitsForLock: AbortController | undefined;

  constructor(
    start: Start,
    locks: Pick<LockManager, "request">,
    environment: Environment,
    takeOver: boolean,
  ) {
    this.#start = start;
    this.#locks = locks;
    this.#environment = environment;
    this.#cursor = start.cursor;
    this.#name = `tidings:${PROTOCOL}:${start.access.server}:${tagOf(start.cursor)}`;
    this.#channel = environment.channel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#hear(data);
    this.#timer = setInterval(() => this.#tick(), ALIVE_INTERVAL);
    this.#waitForLock(takeOver);
    this.#say({ kind: "hello", tab: this.#tab, cursor: this.#cursor });
  }

  end(): void {
    this.#ended.abort();
    clearInterval(this.#timer);
    this.#waitsForLock?.abort();
    this.#leading?.abort();
    this.#channel.close();
  }

  #waitForLock(steal: boolean): void {
    const waiting = new AbortController();
    this.#waitsForLock?.abort();
    this.#waitsForLock = waiting;
    const options = steal ? { steal } : { signal: waiting.signal };
    const held = this.#locks.request(this.#name, options, async () => {
      if (!this.#ended.signal.aborted) {
        await this.#lead();
      }
    });
    Promise.resolve(held).catch(() => {
      // The lock was released, or stolen by a tab that found this one frozen.
      if (!this.#ended.signal.aborted && this.#waitsForLock === waiting && !waiting.signal.aborted) {
        this.#stepBack();
      }
    });
  }

  /** Leads until this tab ends or another tab steals the lock. */
  async #lead(): Promise<void> {
    const leading = new AbortController();
    this.#leading = leading;
    this.#isWelcome = true;
    const { access, backoff } = this.#start;
    const follower = {
      frame: (frame: Frame) => this.#leadOn(frame),
      state: (state: StreamState, error?: ApiError) => {
        this.#setState(state, error);
        this.#sayAlive();
      },
    };
    const options = backoff ? { backoff } : {};
    await follow(access, this.#cursor, follower, leading.signal, options);
    // A refused connection stays with this tab, so that not every tab tries in turn.
    await new Promise<void>((resolve) => {
      if (leading.signal.aborted) {
        resolve();
      }
      leading.signal.addEventListener("abort", () => resolve());
    });
  }

  #stepBack(): void {
    this.#leading?.abort();
    this.#leading = undefined;
    this.#isWelcome = false;
    this.#steps = [];
    this.#heard = Date.now();
    this.#waitForLock(false);
    this.#say({ kind: "hello", tab: this.#tab, cursor: this.#cursor });
  }

  #leadOn(frame: Frame): void {
    const step = { from: this.#cursor, frame };
    this.#steps.push(step);
    if (this.#steps.length > KEPT_STEPS) {
      this.#steps.shift();
    }
    this.#say({ kind: "step", ...step });
    this.#take(frame);
  }

  #take(frame: Frame): void {
    this.#cursor = frame.cursor;
    this.#counter.take(frame);
    this.#start.listener.frame(frame);
    if (frame.kind === "reset") {
      this.#start.listener.gap();
    }
  }

  #setState(state: StreamState, error?: ApiError): void {
    if (state !== this.#state || error) {
      this.#state = state;
      this.#start.listener.state(state, error);
    }
  }

  #hear(message: TabMessage): void {
    if (message.kind === "hello") {
      if (this.#leading) {
        this.#welcome(message.tab, message.cursor, Date.now() + AHEAD);
      }
      return;
    }
    if (this.#leading) {
      return;
    }
    this.#heard = Date.now();
    switch (message.kind) {
      case "welcome":
        if (message.tab === this.#tab) {
          this.#begin(message);
        }
        break;
      case "step":
        if (this.#isWelcome) {
          this.#followOn(message);
        }
        break;
      case "alive":
        if (this.#isWelcome) {
          this.#setState(message.state);
        } else {
          this.#say({ kind: "hello", tab: this.#tab, cursor: this.#cursor });
        }
        break;
    }
  }

  /** Sends a tab the steps after its cursor. A tab that is ahead is answered once this tab has caught up. */
  #welcome(tab: string, cursor: string, until: number): void {
    const index = this.#steps.findLastIndex((step) => step.frame.cursor === cursor);
    const isHere = cursor === this.#cursor;
    if (!isHere && index < 0 && Date.now() < until) {
      setTimeout(() => {
        if (this.#leading) {
          this.#welcome(tab, cursor, until);
        }
      }, AHEAD / 10);
      return;
    }
    const steps = isHere ? [] : index < 0 ? null : this.#steps.slice(index + 1);
    const summary = this.#counter.summary ?? null;
    this.#say({ kind: "welcome", tab, steps, summary, state: this.#state });
  }

  #begin(welcome: Extract<TabMessage, { kind: "welcome" }>): void {
    if (this.#isWelcome) {
      return;
    }
    if (!welcome.steps) {
      if (welcome.state === "live") {
        this.#start.listener.gap();
      } else {
        // This tab has just received a response from the server, so its state is newer.
        this.#waitForLock(true);
      }
      return;
    }
    this.#isWelcome = true;
    for (const { frame } of welcome.steps) {
      this.#take(frame);
    }
    if (welcome.summary) {
      this.#take({ kind: "live", cursor: this.#cursor, summary: welcome.summary });
    }
    this.#setState(welcome.state);
  }

  #followOn({ from, frame }: Step): void {
    if (from === this.#cursor) {
      this.#take(frame);
      return;
    }
    this.#isWelcome = false;
    this.#start.listener.gap();
  }

  #tick(): void {
    if (this.#leading) {
      this.#sayAlive();
    } else if (this.#environment.isVisible() && Date.now() - this.#heard > FROZEN_AFTER) {
      this.#heard = Date.now();
      this.#waitForLock(true);
    }
  }

  #sayAlive(): void {
    this.#say({ kind: "alive", leader: this.#tab, state: this.#state });
  }

  #say(message: TabMessage): void {
    if (!this.#ended.signal.aborted) {
      this.#channel.postMessage(message);
    }
  }
}
