/** Tests the page in a browser before three nodes, whose parts fail one after the other. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { Api } from "../src/api.js";
import { openBrowser } from "../src/chromium.js";
import { Login } from "../src/login.js";
import { Publisher } from "../src/publisher.js";
import { BINARY, Server } from "../src/server.js";
import { Site } from "../src/site.js";
import { until } from "../src/until.js";

const run = promisify(execFile);

const ALICE = "7b1d2c3e-0000-4000-8000-00000000000a";
const BACKEND = "7b1d2c3e-0000-4000-8000-00000000000b";

describe("the page of many nodes", () => {
  let login;
  let browser;
  before(async () => {
    login = await Login.begin();
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await login?.dispose();
  });

  test("misses nothing while nodes, the bus and the database end", async () => {
    const site = await Site.begin();
    try {
      await site.startNodes(login.flags);
      const token = await login.token(ALICE);
      const api = new Api(site.url, token);
      const page = await open(browser, site.url, token);
      const publisher = new Publisher(new Api(site.url, await login.token(BACKEND, "events:publish")), ALICE);

      for (const node of site.nodes) {
        const said = (await connections(page)).length;
        const had = await streams(node, login);
        await node.kill();
        await publisher.goesOn();
        if (had > 0) {
          await until("another state", async () => (await connections(page)).length > said, true);
        }
        await state(page, "Live");
        await node.start();
      }

      await site.bus.kill();
      await publisher.goesOn();
      await site.bus.start();

      await site.database.kill();
      await publisher.fails();
      await site.database.start();
      await publisher.goesOn();

      const acknowledged = await publisher.end();
      await shows(page, acknowledged.length);
      await holds(api, page, acknowledged);
    } finally {
      await site.dispose();
    }
  });

  test("goes on when its store moves from one machine to the nodes", async () => {
    const site = await Site.begin();
    // In the place of the first node, so that the load balancer knows it.
    const single = await Server.begin(login.flags, site.addresses[0]);
    try {
      const token = await login.token(ALICE);
      const api = new Api(site.url, token);
      await until("the load balancer", () => api.summary().then(() => true, () => false), true);
      const page = await open(browser, site.url, token);
      const publisher = new Publisher(new Api(site.url, await login.token(BACKEND, "events:publish")), ALICE);
      await publisher.goesOn();

      await single.terminate();
      await run(BINARY, ["move", "--from", single.data, "--to", site.database.url]);
      await site.startNodes(login.flags);
      await publisher.goesOn();

      const acknowledged = await publisher.end();
      await shows(page, acknowledged.length);
      await holds(api, page, acknowledged);
    } finally {
      await single.dispose();
      await site.dispose();
    }
  });
});

/** Loads the page, signs in and notes what it says of its connection. */
async function open(browser, url, token) {
  // High enough for all events, since a list renders only the visible rows.
  const viewport = { width: 1000, height: 20_000 };
  const context = await browser.context.browser().newContext({ viewport });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(error.stack ?? error.message));
  await page.goto(url);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await state(page, "Live");
  // New events are held back while the pointer or the focus is in the list.
  await page.mouse.click(2, 2);
  await page.evaluate(() => {
    globalThis.connections = [];
    const find = (root, name) => {
      for (const element of root.querySelectorAll("*")) {
        const found = element.matches(name) ? element : element.shadowRoot && find(element.shadowRoot, name);
        if (found) {
          return found;
        }
      }
    };
    const shown = find(document, "tidings-inbox").shadowRoot;
    const note = () => {
      const text = shown.querySelector(".state").textContent.trim();
      if (text !== globalThis.connections.at(-1)) {
        globalThis.connections.push(text);
      }
    };
    new MutationObserver(note).observe(shown, { subtree: true, childList: true, characterData: true });
    note();
  });
  return page;
}

/** What the page has said of its connection so far. */
const connections = (page) => page.evaluate(() => globalThis.connections);

/** The number of streams on a node. */
async function streams(node, login) {
  return new Api(node.origin, await login.token(ALICE, "events:admin")).streams();
}

async function state(page, text) {
  const shown = () => page.locator("tidings-inbox .state").textContent();
  await until("the state", async () => (await shown()).trim(), text);
}

/** Waits until the page counts this many events, all of them unread. */
async function shows(page, number) {
  await state(page, "Live");
  const counts = () => page.locator("tidings-inbox .counts").textContent();
  const expected = `${number.toLocaleString("en")} notifications`;
  await until("the counts", async () => (await counts()).startsWith(expected), true);
}

/** Checks that the store has exactly the acknowledged events, and that the page shows each of them once, in order. */
async function holds(api, page, acknowledged) {
  const { events } = await api.list();
  const ids = events.map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), acknowledged.toSorted());
  const unread = Object.values((await api.summary()).unread);
  assert.equal(unread.reduce((sum, number) => sum + number, 0), acknowledged.length);
  const expected = events.map(({ description }) => numberOf(description));
  const shown = async () => (await page.locator("tidings-list .title .text").allTextContents()).map(numberOf);
  await until("the list", shown, expected);
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

/** The number with which each description begins. */
const numberOf = (description) => Number(description.match(/\d+/)[0]);
