import { spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";

import { soon } from "../soon.js";

/** A program that follows the stream and prints each message as a line of JSON. */
export class ProgramReader {
  /** The messages received so far. */
  messages = [];
  #name;
  #process;
  #said = "";
  #ended;
  #wake = () => {};

  /**
   * @param {string} name used in error messages
   * @param {string[]} command the program and its arguments
   */
  constructor(name, [program, ...flags]) {
    this.#name = name;
    this.#process = spawn(program, flags, {
      env: { ...process.env, PYTHONIOENCODING: "utf-8" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#process, "close").then(() => {
      this.#wake();
    });
    this.#process.stderr.setEncoding("utf8").on("data", (text) => {
      this.#said += text;
    });
    readline.createInterface({ input: this.#process.stdout }).on("line", (line) => {
      try {
        this.messages.push(JSON.parse(line));
      } catch {
        // The client's own log output.
        this.#said += `${line}\n`;
      }
      this.#wake();
    });
  }

  /**
   * Waits until `isThere` accepts the messages.
   *
   * @param {string} what
   * @param {(messages: object[]) => boolean} isThere
   */
  async until(what, isThere) {
    const waiting = async () => {
      while (!isThere(this.messages)) {
        if (this.#hasEnded) {
          throw new Error(`${this.#name} ended before ${what}: ${this.#said}`);
        }
        await new Promise((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    await soon(() => `${this.#name}: ${what}; ${this.#said}`, waiting());
  }

  /** Waits until the program exits and returns its exit code. */
  async ends() {
    await soon(() => `${this.#name} to end; ${this.#said}`, this.#ended);
    return { code: this.#process.exitCode, said: this.#said };
  }

  async dispose() {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  get #hasEnded() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
