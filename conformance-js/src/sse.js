/**
 * @typedef {object} Frame
 * @property {string} name the kind, `message` for one without a name
 * @property {string} data
 * @property {string} cursor the last event ID when it was read
 */

/**
 * Reads Server-Sent Events by the rules of the HTML standard, however the text is cut.
 */
export class SseParser {
  #onFrame;
  #rest = "";
  #isAtStart = true;
  #name = "";
  /** @type {string[]} */
  #data = [];
  #idOfNext;

  /** The last event ID: what a reader sends when it comes back. */
  lastEventId;

  /**
   * @param {(frame: Frame) => void} onFrame
   * @param {string} lastEventId where the stream was resumed
   */
  constructor(onFrame, lastEventId = "") {
    this.#onFrame = onFrame;
    this.lastEventId = lastEventId;
    this.#idOfNext = lastEventId;
  }

  /** @param {string} text what has come, already decoded */
  push(text) {
    if (text === "") {
      return;
    }
    let rest = this.#rest + text;
    if (this.#isAtStart) {
      this.#isAtStart = false;
      rest = rest.replace(/^\uFEFF/, "");
    }
    for (;;) {
      const end = rest.search(/[\r\n]/);
      // A CR at the very end may be the first half of a CR LF.
      if (end === -1 || (rest[end] === "\r" && end === rest.length - 1)) {
        break;
      }
      this.#line(rest.slice(0, end));
      rest = rest.slice(end + (rest.startsWith("\r\n", end) ? 2 : 1));
    }
    this.#rest = rest;
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    switch (field) {
      case "event":
        this.#name = value;
        break;
      case "data":
        this.#data.push(value);
        break;
      case "id":
        if (!value.includes("\0")) {
          this.#idOfNext = value;
        }
        break;
      default:
      // Comments, `retry` and fields to come.
    }
  }

  #dispatch() {
    // An id counts only with the empty line that ends its block.
    this.lastEventId = this.#idOfNext;
    const frame = {
      name: this.#name || "message",
      data: this.#data.join("\n"),
      cursor: this.lastEventId,
    };
    const isEmpty = this.#data.length === 0;
    this.#name = "";
    this.#data = [];
    if (!isEmpty) {
      this.#onFrame(frame);
    }
  }
}
