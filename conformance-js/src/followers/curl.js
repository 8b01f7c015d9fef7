import { spawn } from "node:child_process";
import { once } from "node:events";

import { Follower } from "../follower.js";
import { SseParser } from "../sse.js";

/**
 * A plain `curl` process, restarted with the last event ID each time the server
 * starts.
 */
export class CurlFollower extends Follower {
  #server;
  #url;
  #cursor;
  /** @type {import("node:child_process").ChildProcess} */
  #process;
  #resume = () => this.#startAgain().catch((error) => this.fail(error));

  /**
   * @param {import("../server.js").Server} server
   * @param {string} url
   * @param {string} cursor the start cursor
   */
  constructor(server, url, cursor = "") {
    super(`curl from ${cursor || "now"}`);
    this.#server = server;
    this.#url = url;
    this.#cursor = cursor;
    this.#process = this.#start();
    server.on("listening", this.#resume);
  }

  async dispose() {
    this.#server.off("listening", this.#resume);
    this.#process.kill();
    await this.#ended(this.#process);
  }

  #start() {
    const headers = this.#cursor === "" ? [] : ["--header", `Last-Event-ID: ${this.#cursor}`];
    const process = spawn("curl", ["--silent", "--no-buffer", ...headers, this.#url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const parser = new SseParser((frame) => this.receive(frame), this.#cursor);
    process.stdout.setEncoding("utf8").on("data", (text) => {
      parser.push(text);
      this.#cursor = parser.lastEventId;
    });
    process.on("error", (error) => this.fail(error));
    return process;
  }

  async #startAgain() {
    // The old process still drains its buffer.
    await this.#ended(this.#process);
    this.#process = this.#start();
  }

  /** @param {import("node:child_process").ChildProcess} process */
  async #ended(process) {
    if (!process.stdout.closed) {
      await once(process, "close");
    }
  }
}
