import { EventEmitter, once } from "node:events";

import { Inbox } from "./inbox.js";
import { soon } from "./soon.js";

/** @typedef {import("./sse.js").Frame} Frame */

/** How many frames a message of a fault shows. */
const SHOWN_FRAMES = 8;

/** The names of the frames, for clients that listen to each by its name. */
export const FRAME_NAMES = ["ready", "message", "status", "deleted", "live", "reset"];

/**
 * A client that follows the stream and keeps an inbox by it. Each kind of client has its own way to
 * get at the frames.
 */
export class Follower extends EventEmitter {
  inbox = new Inbox();

  /** How the client is called in messages. */
  #client;

  /** How many frames have come, by their names. */
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
   * Takes the next frame.
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
   * Remembers the first thing that went wrong, for whoever waits.
   *
   * @param {unknown} error
   */
  fail(error) {
    const after = `${this.inbox}, after ${this.#last.join(", ")}`;
    this.#fault ??= new Error(`${this.#client}, ${after}: ${error}`, { cause: error });
    this.emit("news");
  }

  /**
   * Waits until the client has got as far as `cursor` and is live.
   *
   * @param {string} cursor
   * @param {number} lives how often it must have become live at least
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
