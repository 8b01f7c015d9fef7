import { tagOf } from "../api/cursor.js";
import type { Access } from "../api/credential.js";
import type { ApiError } from "../api/error.js";
import type { Backoff } from "../stream/backoff.js";
import { Counter } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import { type StreamState, follow } from "../stream/follow.js";
import { type Environment, browser } from "./environment.js";
import type { Step, TabMessage } from "./message.js";

/** Part of the names that tabs meet under; another number for other messages. */
const PROTOCOL = 1;

/** How often the tab with the connection says that it is alive, in milliseconds. */
const ALIVE_INTERVAL = 1_500;

/** After this time without a word a visible tab takes the connection over: the other may be frozen. */
const FROZEN_AFTER = 5_000;

/** The frames that are kept for tabs that begin a little behind. */
const KEPT_STEPS = 1_000;

/** How long a tab that is ahead of the connection is waited for, in milliseconds. */
const AHEAD = 1_000;

/** Who wants to know what happens. */
export interface FeedListener {
  /** Takes what happened, in order and each once from the cursor the feed was started at. */
  frame(frame: Frame): void;
  state(state: StreamState, error?: ApiError): void;
  /** Something may have been missed: list anew, and start from that list's cursor. */
  gap(): void;
}

export interface FeedOptions {
  readonly environment?: Environment;
  readonly backoff?: Backoff;
}

/**
 * The live stream, with one connection for all tabs of the browser that show the same inbox.
 *
 * Who holds a Web Lock has the connection and tells the others over a BroadcastChannel what it brings.
 * The names of both hold the server and the tag of the cursor, which stands for one user of one store.
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
   * Begins behind `cursor`, in place of wherever it was. With `takeOver` this tab takes the connection,
   * since it knows better: somebody has just signed in here.
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

  /** Ends; another tab takes the connection over. */
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

/** A connection of this tab's own. */
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

/** One tab among those that share a connection. */
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
  /** Ends this tab's connection, if it has one. */
  #leading: AbortController | undefined;
  /** The newest steps, for tabs that begin a little behind. */
  #steps: Step[] = [];
  /** Whether this tab has its place in what the leader says. */
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
      // Given up on purpose, or taken by a tab that found this one frozen.
      if (!this.#ended.signal.aborted && this.#waitsForLock === waiting && !waiting.signal.aborted) {
        this.#stepBack();
      }
    });
  }

  /** Has the connection until this tab ends or another takes the lock. */
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
    // A connection that is refused stays with this tab, so that not every tab tries in turn.
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

  /** Tells a tab what came behind its cursor. One that is ahead is answered once this tab is there. */
  #welcome(tab: string, cursor: string, until: number): void {
    const place = this.#steps.findLastIndex((step) => step.frame.cursor === cursor);
    const isHere = cursor === this.#cursor;
    if (!isHere && place < 0 && Date.now() < until) {
      setTimeout(() => {
        if (this.#leading) {
          this.#welcome(tab, cursor, until);
        }
      }, AHEAD / 10);
      return;
    }
    const steps = isHere ? [] : place < 0 ? null : this.#steps.slice(place + 1);
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
        // This tab has just had an answer from the server, so it knows better.
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
