import { spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";

import { soon } from "./soon.js";

/** A running program and the lines that it prints. */
export class Program {
  /** The lines on standard output. */
  lines = [];
  #name;
  #process;
  #errors = "";
  #ended;
  #wake = () => {};

  /**
   * @param {string} name used in error messages
   * @param {string[]} command the program and its arguments
   * @param {object} options of `spawn`
   */
  constructor(name, [program, ...flags], options) {
    this.#name = name;
    this.#process = spawn(program, flags, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#process, "close").then(() => this.#wake());
    this.#process.stderr.setEncoding("utf8").on("data", (text) => {
      this.#errors += text;
    });
    readline.createInterface({ input: this.#process.stdout }).on("line", (line) => {
      this.lines.push(line);
      this.#wake();
    });
  }

  /**
   * Waits for a line that contains a text.
   *
   * @param {string} text
   */
  async until(text) {
    const waiting = async () => {
      while (!this.lines.some((line) => line.includes(text))) {
        if (this.#hasEnded) {
          throw new Error(`${this.#name} ended before ${text}: ${this.#said}`);
        }
        await new Promise((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    await soon(() => `${this.#name} to print ${text}; ${this.#said}`, waiting());
  }

  /**
   * Waits until the program exits with a code, and returns what it has printed.
   *
   * @param {number} code
   */
  async ends(code) {
    await soon(() => `${this.#name} to end; ${this.#said}`, this.#ended);
    if (this.#process.exitCode !== code) {
      throw new Error(`${this.#name} ended with ${this.#process.exitCode} instead of ${code}: ${this.#said}`);
    }
    return this.#said;
  }

  async dispose() {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  get #said() {
    return [...this.lines, this.#errors].join("\n");
  }

  get #hasEnded() {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}
