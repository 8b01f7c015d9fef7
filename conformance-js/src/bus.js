import { spawn } from "node:child_process";

import { end, runs } from "./end.js";
import { accepts, freePort } from "./port.js";
import { soon } from "./soon.js";

/** A NATS server, which carries the hints between nodes. */
export class Bus {
  #port;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
  }

  static async begin() {
    const bus = new Bus(await freePort());
    await bus.start();
    return bus;
  }

  /** The value of `--bus`. */
  get url() {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async start() {
    this.#process = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(this.#port)], { stdio: "ignore" });
    await soon("NATS to start", accepts(this.#port));
  }

  async kill() {
    await end("NATS", this.#process, "SIGKILL");
  }

  async dispose() {
    if (runs(this.#process)) {
      await this.kill();
    }
  }
}
