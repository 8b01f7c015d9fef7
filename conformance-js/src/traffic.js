import { EventEmitter, once } from "node:events";

import { ApiError } from "./api.js";
import { drafts } from "./drafts.js";
import { soon } from "./soon.js";

/** The number of concurrent publishers and changers. */
const SENDERS = 3;

/** Publishes, marks, deletes and counts until the server is down. */
export class Traffic extends EventEmitter {
  #api;
  #answers = 0;

  /** The summaries received meanwhile. */
  summaries = /** @type {any[]} */ ([]);

  /** Resolves when the server is down. */
  ended;

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
    this.ended = Promise.all(Array.from({ length: SENDERS }, () => this.#send()));
    // A failure reaches the awaiting caller even if it happens earlier.
    this.ended.catch(() => {});
  }

  /**
   * Waits for this number of responses.
   *
   * @param {number} answers
   */
  async reaches(answers) {
    const failed = this.ended.then(() => Promise.reject(new Error("the server went by itself")));
    while (this.#answers < answers) {
      await soon("an answer", Promise.race([once(this, "answer"), failed]));
    }
    failed.catch(() => {});
  }

  async #send() {
    try {
      for (let round = 0; ; round += 1) {
        await this.#round(round % 4 === 3 ? "system" : undefined);
      }
    } catch (error) {
      const isGone =
        error instanceof TypeError || (error instanceof ApiError && error.status === 503);
      if (!isGone) {
        throw error;
      }
    }
  }

  /** @param {string | undefined} owner */
  async #round(owner) {
    const api = this.#api;
    const [a, b, ...others] = await this.#answer(api.publish(drafts(6, { owner })));
    const ids = others.map(({ id }) => id);
    await this.#answer(api.mark(a.id, "read"));
    await this.#answer(api.markMany({ ids, status: "read" }));
    this.summaries.push(await api.summary());
    await this.#answer(api.mark(ids[0], "unread"));
    await this.#answer(api.delete(b.id));
    this.summaries.push(await api.summary());
    await this.#answer(api.deleteMany({ ids: [a.id, ids[1]] }));
  }

  /**
   * @template T
   * @param {Promise<T>} request
   */
  async #answer(request) {
    const answer = await request;
    this.#answers += 1;
    this.emit("answer");
    return answer;
  }
}
