import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

import { end, runs } from "./end.js";
import { freePort } from "./port.js";
import { soon } from "./soon.js";

/** The binary under test; default: the one that `cargo test` builds. */
export const BINARY =
  process.env.TIDINGS_BINARY ??
  fileURLToPath(new URL("../../target/debug/tidings", import.meta.url));

/**
 * A `tidings serve` process that can be restarted with the same address and data.
 * It emits `listening` each time it accepts connections.
 */
export class Server extends EventEmitter {
  #directory;
  #address;
  #flags;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;

  /**
   * @param {string} directory
   * @param {string} address
   * @param {string[]} flags
   */
  constructor(directory, address, flags) {
    super();
    this.#directory = directory;
    this.#address = address;
    this.#flags = flags;
  }

  /**
   * Starts a server with an empty store.
   *
   * @param {string[]} [flags] additional flags of `tidings serve`
   * @param {string} [address] default: a free port
   */
  static async begin(flags = [], address) {
    const directory = await mkdtemp(path.join(os.tmpdir(), "tidings-conformance-"));
    const server = new Server(directory, address ?? `127.0.0.1:${await freePort()}`, flags);
    try {
      await server.start();
    } catch (error) {
      server.#process?.kill("SIGKILL");
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return server;
  }

  /** The server's address, also while it is down. */
  get origin() {
    return `http://${this.#address}`;
  }

  /** The data directory. The server creates it readable only by its owner. */
  get data() {
    return path.join(this.#directory, "data");
  }

  /** Starts the process and waits until it accepts connections. */
  async start() {
    const store = this.#flags.includes("--store") ? [] : ["--data-dir", this.data];
    const process = spawn(
      BINARY,
      ["serve", "--listen", this.#address, ...store, ...this.#flags],
      { env: { ...globalThis.process.env, TIDINGS_LOG: "warn" }, stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#process = process;
    const firstLine = new Promise((resolve, reject) => {
      readline.createInterface({ input: process.stdout }).once("line", resolve);
      process.once("error", reject);
      process.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
    const line = await soon("the server to listen", firstLine);
    if (line !== `listening on ${this.origin}`) {
      throw new Error(`unexpected first line ${JSON.stringify(line)}`);
    }
    this.emit("listening");
  }

  /** Sends SIGKILL, as in a crash. */
  async kill() {
    await end("the server", this.#process, "SIGKILL");
  }

  /** Sends SIGTERM, as an operator does. */
  async terminate() {
    const code = await end("the server", this.#process, "SIGTERM");
    if (code !== 0) {
      throw new Error(`the server answered SIGTERM by ending with ${code}`);
    }
  }

  /** Removes the data of a stopped server. */
  async forget() {
    await rm(this.data, { recursive: true });
  }

  /** Stops the server and removes its data. */
  async dispose() {
    if (runs(this.#process)) {
      await this.kill();
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
