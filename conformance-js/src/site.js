import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { Bus } from "./bus.js";
import { Database } from "./database.js";
import { blocks, swap } from "./docs.js";
import { end, runs } from "./end.js";
import { accepts, freePort } from "./port.js";
import { Server } from "./server.js";
import { soon } from "./soon.js";

/** The addresses in docs/high-availability.md. */
const BALANCER = "127.0.0.1:9100";
const NODES = ["127.0.0.1:9101", "127.0.0.1:9102", "127.0.0.1:9103"];

/** Three nodes on one database and one bus behind a load balancer, which is configured as documented. */
export class Site {
  /** @type {Server[]} */
  nodes = [];
  /** @type {Database} */
  database;
  /** @type {Bus} */
  bus;
  #directory;
  #port;
  /** @type {string[]} */
  #addresses = [];
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #balancer;

  /** Starts all but the nodes. */
  static async begin() {
    const site = new Site();
    try {
      site.#directory = await mkdtemp(path.join(os.tmpdir(), "tidings-site-"));
      site.database = await Database.begin(site.#directory);
      site.bus = await Bus.begin();
      for (const _ of NODES) {
        site.#addresses.push(`127.0.0.1:${await freePort()}`);
      }
      await site.#balance();
    } catch (error) {
      await site.dispose();
      throw error;
    }
    return site;
  }

  /** The address of the load balancer. */
  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The host and port of each node, also of one that is not started. */
  get addresses() {
    return this.#addresses;
  }

  /**
   * Starts the nodes.
   *
   * @param {string[]} flags additional flags of `tidings serve`
   */
  async startNodes(flags) {
    // A node says a lot of a database that is away.
    const shared = ["--log", "off", "--store", this.database.url, "--bus", this.bus.url, ...flags];
    for (const address of this.#addresses) {
      this.nodes.push(await Server.begin(shared, address));
    }
  }

  async #balance() {
    this.#port = await freePort();
    const [block] = await blocks("high-availability.md", "The load balancer", "sh");
    let [, text] = block.match(/<<'END'\n([^]*)^END$/m);
    text = swap(text, BALANCER, `127.0.0.1:${this.#port}`);
    NODES.forEach((node, index) => {
      text = swap(text, node, this.#addresses[index]);
    });
    const file = path.join(this.#directory, "haproxy.cfg");
    await writeFile(file, text);
    this.#balancer = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
    await soon("HAProxy to listen", accepts(this.#port));
  }

  /** Stops everything and removes its data. */
  async dispose() {
    for (const node of this.nodes) {
      await node.dispose();
    }
    if (runs(this.#balancer)) {
      await end("HAProxy", this.#balancer, "SIGKILL");
    }
    await this.bus?.dispose();
    await this.database?.dispose();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
