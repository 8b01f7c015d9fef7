/**
 * @typedef {object} Frame
 * @property {string} name the kind, `message` for one without a name
 * @property {string} data
 * @property {string} cursor the last event ID when it was read
 */

/**
 * Parses Server-Sent Events by the HTML standard, however the text is split.
 */
export class SseParser {
  #onFrame;
  #rest = "";
  #isAtStart = true;
  #name = "";
  /** @type {string[]} */
  #data = [];
  #idOfNext;

  /** The last event ID, which a reader sends when it reconnects. */
  lastEventId;

  /**
   * @param {(frame: Frame) => void} onFrame
   * @param {string} lastEventId the cursor at which the stream was resumed
   */
  constructor(onFrame, lastEventId = "") {
    this.#onFrame = onFrame;
    this.lastEventId = lastEventId;
    this.#idOfNext = lastEventId;
  }

  /** @param {string} text the decoded input */
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
      // A trailing CR can be the first half of a CR LF.
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
      // Ignores comments, `retry` and unknown fields.
    }
  }

  #dispatch() {
    // An id takes effect only with the empty line that ends its block.
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
