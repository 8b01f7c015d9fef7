import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { noFaults, place, state, titles, until } from "./support.js";

const run = promisify(execFile);
const BINARY = path.resolve(
  process.env.TIDINGS_BINARY ?? path.join(import.meta.dirname, "../../target/debug/tidings"),
);

const EXAMPLE = "My first event: connected to the cluster";

/** A shell with `tidings` on its path, in its own directory. */
function shell() {
  const here = {};
  before(async () => {
    here.directory = await mkdtemp(path.join(os.tmpdir(), "tidings-commands-"));
    await symlink(BINARY, path.join(here.directory, "tidings"));
  });
  after(() => rm(here.directory, { recursive: true, force: true }));
  here.run = async (command, variables = {}) => {
    const env = { ...process.env, ...variables, PATH: `${here.directory}:${process.env.PATH}` };
    const { stdout } = await run("sh", ["-e", "-c", command], { cwd: here.directory, env });
    return stdout.trim();
  };
  return here;
}

/** The text that each "Copy" button copies, except for the Rust program. */
async function commands(page) {
  const texts = await page.locator("tidings-welcome .command pre").allTextContents();
  return texts.filter((text) => !text.startsWith("let "));
}

describe("the commands of the welcome page", () => {
  const here = place();
  const terminal = shell();
  afterEach(() => here.cleanUp());

  it("run as pasted", async () => {
    const page = await here.page(await here.context());
    await page.getByRole("heading", { name: "Send your first event" }).waitFor();
    const all = await commands(page);
    assert.equal(all.length, 2);
    for (const command of all) {
      await terminal.run(command);
    }
    await until("both events", () => titles(page), [EXAMPLE, EXAMPLE]);
    noFaults(page);
  });
});

describe("the commands of the welcome page with a login", () => {
  const terminal = shell();
  const here = place(async () => {
    await terminal.run("tidings token --new-secret secret");
    return ["--auth", "jwt", "--jwt-secret-file", path.join(terminal.directory, "secret")];
  });
  afterEach(() => here.cleanUp());

  it("run as pasted", async () => {
    const page = await here.page(await here.context());
    const token = await terminal.run(await page.locator("tidings-sign-in code").textContent());
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await state(page, "Live");
    await page.getByText("Set TIDINGS_TOKEN to your token").waitFor();
    const all = await commands(page);
    assert.equal(all.length, 2);
    for (const command of all) {
      await terminal.run(command, { TIDINGS_TOKEN: token });
    }
    await until("both events", () => titles(page), [EXAMPLE, EXAMPLE]);
    noFaults(page);
  });
});
