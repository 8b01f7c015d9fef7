import { EventSource } from "eventsource";

import { FRAME_NAMES, Follower } from "../follower.js";

/** The npm package `eventsource`. */
export class NodeFollower extends Follower {
  #stream;

  /** @param {string} url */
  constructor(url) {
    super(`eventsource from ${url}`);
    this.#stream = new EventSource(url);
    for (const name of FRAME_NAMES) {
      this.#stream.addEventListener(name, ({ data, lastEventId }) =>
        this.receive({ name, data, cursor: lastEventId }),
      );
    }
    this.#stream.addEventListener("error", (error) => {
      if (this.#stream.readyState === EventSource.CLOSED) {
        this.fail(new Error(`gave up: ${error.message}`));
      }
    });
  }

  async dispose() {
    this.#stream.close();
  }
}
