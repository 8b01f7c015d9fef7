import { EventEmitter, once } from "node:events";

import { Inbox } from "./inbox.js";
import { soon } from "./soon.js";

/** @typedef {import("./sse.js").Frame} Frame */

/** The number of frames shown in an error message. */
const SHOWN_FRAMES = 8;

/** The frame names, for clients that register a listener per name. */
export const FRAME_NAMES = ["ready", "message", "status", "deleted", "live", "reset"];

/**
 * A client that follows the stream and maintains an inbox. Each subclass receives
 * frames in its own way.
 */
export class Follower extends EventEmitter {
  inbox = new Inbox();

  /** The client's name in messages. */
  #client;

  /** The number of received frames by name. */
  #received = /** @type {Record<string, number>} */ ({});

  /** The last frames, for messages. */
  #last = /** @type {string[]} */ ([]);

  /** @type {unknown} */
  #fault;

  /** @param {string} client */
  constructor(client) {
    super();
    this.#client = client;
  }

  /**
   * Handles the next frame.
   *
   * @param {Frame} frame
   */
  receive(frame) {
    this.#last = [...this.#last, `${frame.name} ${frame.cursor}`].slice(-SHOWN_FRAMES);
    try {
      this.inbox.apply(frame);
    } catch (error) {
      this.fail(error);
    }
    this.#received[frame.name] = (this.#received[frame.name] ?? 0) + 1;
    this.emit("news");
  }

  /**
   * Waits for the next frame of a kind.
   *
   * @param {string} name
   */
  async next(name) {
    const before = this.#received[name] ?? 0;
    await this.until(`a frame ${name}`, () => this.#received[name] > before);
  }

  /**
   * Records the first error and rejects all waiters with it.
   *
   * @param {unknown} error
   */
  fail(error) {
    const after = `${this.inbox}, after ${this.#last.join(", ")}`;
    this.#fault ??= new Error(`${this.#client}, ${after}: ${error}`, { cause: error });
    this.emit("news");
  }

  /**
   * Waits until the client has reached `cursor` and is live.
   *
   * @param {string} cursor
   * @param {number} lives the minimum number of times it must have become live
   */
  async reaches(cursor, lives = 1) {
    await this.until(
      `${cursor}, live ${lives} times`,
      () => this.inbox.cursor === cursor && this.inbox.counts !== null && this.inbox.lives >= lives,
    );
  }

  /**
   * Waits until a frame makes `isTrue` true.
   *
   * @param {string} what
   * @param {() => boolean} isTrue
   */
  async until(what, isTrue) {
    while (!this.#fault && !isTrue()) {
      await soon(() => `${this.#client}, ${this.inbox}, waits for ${what}`, once(this, "news"));
    }
    if (this.#fault) {
      throw this.#fault;
    }
  }
}
