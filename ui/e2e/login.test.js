import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { after, afterEach, describe, it } from "node:test";
import { promisify } from "node:util";

import { draft, look, noFaults, place, shows, state, titles, until } from "./support.js";

const run = promisify(execFile);
const BINARY =
  process.env.TIDINGS_BINARY ?? path.join(import.meta.dirname, "../../target/debug/tidings");

const ALICE = "7b1d2c3e-0000-4000-8000-00000000000a";
const BOB = "7b1d2c3e-0000-4000-8000-00000000000b";

describe("with a login", () => {
  const secret = path.join(os.tmpdir(), `tidings-ui-secret-${process.pid}`);
  let foreign;
  let foreignOrigin;
  const here = place(async () => {
    await run(BINARY, ["token", "--new-secret", secret]);
    foreign = createServer(async (request, response) => {
      const page = await readFile(path.join(import.meta.dirname, "../demo/index.html"), "utf8");
      response.setHeader("content-type", "text/html");
      const { token, server } = Object.fromEntries(new URL(request.url, "http://x").searchParams);
      response.end(page.replaceAll("https://tidings.example.org", server).replace("TOKEN", token));
    });
    await new Promise((resolve) => foreign.listen(0, "127.0.0.1", resolve));
    foreignOrigin = `http://127.0.0.1:${foreign.address().port}`;
    return [
      "--auth", "jwt", "--jwt-secret-file", secret, "--jwt-leeway", "1s",
      "--allow-origin", foreignOrigin,
    ];
  });
  afterEach(() => here.cleanUp());
  after(async () => {
    foreign?.close();
    await writeFile(secret, "");
  });

  async function token(owner, ...flags) {
    const { stdout } = await run(BINARY, ["token", "--secret-file", secret, "--owner", owner, ...flags]);
    return stdout.trim();
  }

  async function publish(owner, description) {
    const backend = await token(BOB, "--scope", "events:publish");
    const answer = await fetch(`${here.server.origin}/api/system/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${backend}`, "content-type": "application/json" },
      body: JSON.stringify(draft(description, { owner })),
    });
    assert.equal(answer.status, 201);
  }

  async function signIn(page, shown) {
    await page.getByLabel("Token").fill(shown);
    await page.getByRole("button", { name: "Sign in" }).click();
  }

  it("asks for a token and shows each user their own events", async () => {
    const pages = [];
    for (const owner of [ALICE, BOB]) {
      const page = await here.page(await here.context());
      await signIn(page, "junk");
      await page.getByRole("alert").waitFor();
      await look(page, "sign-in");
      await signIn(page, await token(owner));
      await state(page, "Live");
      pages.push(page);
    }
    await publish(ALICE, "for Alice");
    await publish(BOB, "for Bob");
    await shows(pages[0], ["for Alice"]);
    await shows(pages[1], ["for Bob"]);
    const cookies = await pages[0].evaluate(() => document.cookie);
    assert.equal(cookies, "", "scripts do not see the token");
    noFaults(...pages);
  });

  it("continues in all tabs after a new sign-in and misses nothing", async () => {
    const context = await here.context();
    const [one, two] = [await here.page(context), await here.page(context)];
    await signIn(one, await token(ALICE, "--expires-in", "4s"));
    await state(one, "Live");
    await two.reload();
    await state(two, "Live");
    const again = "Your session has expired. Sign in again to continue. No notifications are lost.";
    for (const tab of [one, two]) {
      await tab.getByText(again).waitFor();
    }
    await publish(ALICE, "while nobody was signed in");
    await signIn(two, await token(ALICE));
    const isThere = (tab) => async () => (await titles(tab))[0];
    await until("the tab of the sign-in", isThere(two), "while nobody was signed in");
    await one.reload();
    await until("the other", isThere(one), "while nobody was signed in");
    noFaults(one, two);
  });

  it("shows no events of one user to the next", async () => {
    const page = await here.page(await here.context());
    await signIn(page, await token(ALICE));
    await until("Alice's", async () => (await titles(page)).includes("for Alice"), true);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    assert.deepEqual(await titles(page), []);
    await signIn(page, await token(BOB));
    await until("Bob's", async () => (await titles(page)).includes("for Bob"), true);
    assert.ok(!(await titles(page)).includes("for Alice"));
    noFaults(page);
  });

  it("tells users of another page that they are signed out, without terms of developers", async () => {
    const page = await here.host(`<main><h1>Host</h1><tidings-inbox></tidings-inbox></main>`);
    const inbox = page.locator("tidings-inbox");
    await inbox.getByRole("heading", { name: "You are signed out" }).waitFor();
    assert.doesNotMatch(await inbox.innerText(), /Authorization|Bearer|cookie|token/i);
    await look(page, "signed-out");
    const short = await token(ALICE, "--expires-in", "4s");
    await inbox.evaluate((element, short) => (element.getToken = () => short), short);
    await until("Alice's", async () => (await titles(page)).includes("for Alice"), true);
    await inbox.getByRole("heading", { name: "You are signed out" }).waitFor();
    assert.deepEqual(await titles(page), []);
    await inbox.evaluate((element) => {
      const own = document.createElement("p");
      own.slot = "signed-out";
      own.textContent = "Sign in to the host";
      element.append(own);
    });
    await page.getByText("Sign in to the host").waitFor();
    assert.equal(await inbox.getByRole("heading", { name: "You are signed out" }).isVisible(), false);
    noFaults(page);
  });

  it("works as a bell with a drawer on a page of another origin", async () => {
    const context = await here.context();
    const page = await context.newPage();
    const query = new URLSearchParams({ token: await token(ALICE), server: here.server.origin });
    await page.goto(`${foreignOrigin}/?${query}`);
    const bell = page.getByRole("button", { name: /^Notifications, \d+ unread$/ });
    await bell.waitFor();
    await publish(ALICE, "seen from elsewhere");
    await page.locator("#log", { hasText: "seen from elsewhere" }).waitFor();
    await page.locator("main .title", { hasText: "seen from elsewhere" }).waitFor();
    assert.equal(await here.streams(await token(BOB, "--scope", "events:admin")), 1);
    await bell.click();
    const drawer = page.locator("tidings-bell dialog[open]");
    await drawer.locator(".title", { hasText: "seen from elsewhere" }).click();
    await until("it is open", () => drawer.locator("tidings-event-detail").count(), 1);
    await drawer.getByText("Copy as JSON").waitFor();
    await page.keyboard.press("Escape");
    await until("it is closed", () => drawer.locator("tidings-event-detail").count(), 0);
    await page.getByRole("button", { name: "Close notifications" }).click();
    await until("the drawer is closed", () => drawer.count(), 0);
  });
});
