import { spawn } from "node:child_process";
import { once } from "node:events";

import { soon } from "../soon.js";
import { SseParser } from "../sse.js";

/** A plain `curl` process that reads one connection of the stream. */
export class CurlReader {
  #process;
  /** All received bytes. */
  #text = "";
  #more = () => {};
  #waiting = [];
  /** The frames not yet consumed. */
  #frames = [];

  /**
   * @param {string} url
   * @param {{ flags?: string[], token?: string }} [options]
   */
  constructor(url, { flags = [], token } = {}) {
    const shown = token ? ["--header", `Authorization: Bearer ${token}`] : [];
    this.#process = spawn("curl", ["--silent", "--no-buffer", ...flags, ...shown, url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const parser = new SseParser((frame) => this.#take(frame));
    this.#process.stdout.setEncoding("utf8").on("data", (text) => {
      this.#text += text;
      this.#more();
      parser.push(text);
    });
  }

  /** Waits for a comment. */
  async comment(text) {
    const coming = async () => {
      while (!`\n${this.#text}`.includes(`\n: ${text}\n`)) {
        await new Promise((resolve) => {
          this.#more = resolve;
        });
      }
    };
    await soon(`a comment ${JSON.stringify(text)} by curl`, coming());
  }

  /**
   * Returns the next frame for which `isWanted` returns true, and skips those before it.
   *
   * @param {(frame: import("../sse.js").Frame) => boolean} isWanted
   */
  next(isWanted) {
    const found = new Promise((resolve) => {
      this.#waiting.push({ isWanted, resolve });
    });
    for (const frame of this.#frames.splice(0)) {
      this.#take(frame);
    }
    return soon("a frame by curl", found);
  }

  async dispose() {
    if (this.#process.exitCode === null) {
      const exit = once(this.#process, "exit");
      this.#process.kill();
      await exit;
    }
  }

  #take(frame) {
    const [first] = this.#waiting;
    if (!first) {
      this.#frames.push(frame);
    } else if (first.isWanted(frame)) {
      this.#waiting.shift();
      first.resolve(frame);
    }
  }
}
