import { execFile, spawn } from "node:child_process";
import { chown, mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { end, runs } from "./end.js";
import { freePort } from "./port.js";
import { soon } from "./soon.js";

const run = promisify(execFile);

/** Debian's directory of PostgreSQL's programs, by version. */
const VERSIONS = "/usr/lib/postgresql";

/** PostgreSQL refuses to run as root; `nobody` runs it then. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const USER = process.getuid?.() === 0 ? NOBODY : {};

/** The polling interval for a database that starts, in milliseconds. */
const LOOK = 50;

/** A PostgreSQL server with the empty database `tidings`. */
export class Database {
  #programs;
  #directory;
  #port;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;

  /**
   * @param {string} programs
   * @param {string} directory
   * @param {number} port
   */
  constructor(programs, directory, port) {
    this.#programs = programs;
    this.#directory = directory;
    this.#port = port;
  }

  /** @param {string} parent where the directory of the database is made */
  static async begin(parent) {
    const versions = await readdir(VERSIONS);
    const newest = versions.toSorted((one, other) => Number(one) - Number(other)).at(-1);
    const directory = path.join(parent, "postgres");
    await mkdir(directory);
    if (USER.uid !== undefined) {
      // The parent is a directory of root alone.
      await chown(parent, USER.uid, USER.gid);
      await chown(directory, USER.uid, USER.gid);
    }
    const database = new Database(path.join(VERSIONS, newest, "bin"), directory, await freePort());
    const flags = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"];
    await run(database.#program("initdb"), [...flags, "-D", database.#data], { cwd: directory, ...USER });
    await database.start();
    const sql = ["-h", "127.0.0.1", "-p", String(database.#port), "-U", "postgres"];
    await run(database.#program("psql"), [...sql, "-c", "CREATE DATABASE tidings"], { cwd: directory, ...USER });
    return database;
  }

  /** The value of `--store`. */
  get url() {
    return `postgres://postgres@127.0.0.1:${this.#port}/tidings`;
  }

  get #data() {
    return path.join(this.#directory, "data");
  }

  /** @param {string} name */
  #program(name) {
    return path.join(this.#programs, name);
  }

  /** Starts the server and waits until it accepts queries. */
  async start() {
    const flags = ["-D", this.#data, "-h", "127.0.0.1", "-p", String(this.#port), "-k", ""];
    this.#process = spawn(this.#program("postgres"), flags, { cwd: this.#directory, stdio: "ignore", ...USER });
    const ready = async () => {
      for (;;) {
        const args = ["-q", "-h", "127.0.0.1", "-p", String(this.#port)];
        const isReady = await run(this.#program("pg_isready"), args).then(
          () => true,
          () => false,
        );
        if (isReady) {
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK));
      }
    };
    await soon("PostgreSQL to start", ready());
  }

  /** Ends the server at once, as when its machine restarts: open transactions are lost, committed ones are not. */
  async kill() {
    // SIGQUIT is PostgreSQL's immediate shutdown, which also ends its other processes.
    await end("PostgreSQL", this.#process, "SIGQUIT");
  }

  async dispose() {
    if (runs(this.#process)) {
      await this.kill();
    }
  }
}
