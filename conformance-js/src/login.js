import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { BINARY } from "./server.js";

const run = promisify(execFile);

/** A signing secret for a server with a login. */
export class Login {
  #directory;

  /** @param {string} directory */
  constructor(directory) {
    this.#directory = directory;
  }

  static async begin() {
    const login = new Login(await mkdtemp(path.join(os.tmpdir(), "tidings-login-")));
    await run(BINARY, ["token", "--new-secret", login.#secret]);
    return login;
  }

  get #secret() {
    return path.join(this.#directory, "secret");
  }

  /** The server's flags. */
  get flags() {
    return ["--auth", "jwt", "--jwt-secret-file", this.#secret];
  }

  /**
   * @param {string} owner
   * @param {string[]} scopes default: the usual scopes of a user
   */
  async token(owner, ...scopes) {
    const flags = scopes.flatMap((scope) => ["--scope", scope]);
    const named = ["--secret-file", this.#secret, "--owner", owner];
    const { stdout } = await run(BINARY, ["token", ...named, ...flags]);
    return stdout.trim();
  }

  async dispose() {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
