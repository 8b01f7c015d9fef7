/**
 * Tests a server behind reverse proxies. The configuration is taken from docs/operations.md word for
 * word except for addresses and file names.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Api } from "../src/api.js";
import { openBrowser } from "../src/chromium.js";
import { drafts } from "../src/drafts.js";
import { Login } from "../src/login.js";
import { HOST, NAMES, Proxy, pathsOf } from "../src/proxies.js";
import { CurlReader } from "../src/readers/curl.js";
import { Server } from "../src/server.js";
import { until } from "../src/until.js";

const ALICE = "7b1d2c3e-0000-4000-8000-00000000000a";

/** The maximum time until an event is shown, in milliseconds. */
const IN_THE_PAGE = 1_000;

/**
 * The maximum delay of a frame through a proxy, in milliseconds: well below the 200 ms for which a
 * proxy that coalesces small writes holds back nearly every frame.
 */
const ON_THE_WIRE = 120;

/** The number of events that must be that fast. The others can be slower, because the machine can be busy. */
const FAST = 3;

/** Events are published until enough were fast. A proxy that holds frames back delays all of these. */
const TRIES = 60;

/** Proxies that hold requests while the server is down; the others answer in its place. */
const HOLDING = ["haproxy", "caddy"];

describe("behind a proxy", { concurrency: NAMES.length }, () => {
  let login;
  let browser;
  before(async () => {
    login = await Login.begin();
    browser = await openBrowser([`--host-resolver-rules=MAP ${HOST} 127.0.0.1`]);
  });
  after(async () => {
    await browser?.close();
    await login?.dispose();
  });

  for (const name of NAMES) {
    describe(name, () => {
      for (const isBelow of pathsOf(name)) {
        for (const hasLogin of [false, true]) {
          const where = isBelow ? "below a path" : "at the root";
          const how = hasLogin ? "with a login" : "without a login";
          test(`${where}, ${how}`, async () => {
            const proxied = await ProxiedServer.begin(name, { isBelow }, hasLogin ? login : undefined);
            // Detecting that the server is down takes seconds and does not depend on login or path.
            const isAway = !isBelow && !hasLogin;
            await proxied.use(browser, async (page) => {
              await proxied.showsAtOnce(page);
              await proxied.deliversAtOnce();
              await proxied.marks(page);
              await proxied.losesNothing(page, isAway && !HOLDING.includes(name) ? 2 : 1);
            });
          });
        }
      }
    });
  }

  describe("without the documented configuration", () => {
    for (const [what, block] of [
      ["as nginx does it by itself", "location / { proxy_pass http://127.0.0.1:9081; }"],
      [
        "with the server's own name as Host",
        `location / {
           proxy_pass http://127.0.0.1:9081;
           proxy_set_header Host localhost:9081;
           proxy_http_version 1.1;
           proxy_set_header Connection "";
         }`,
      ],
    ]) {
      for (const hasLogin of [false, true]) {
        const how = hasLogin ? "with a login" : "without a login";
        test(`${what}, ${how}, the page still works`, async () => {
          const options = { block, isUnknown: true };
          const proxied = await ProxiedServer.begin("nginx", options, hasLogin ? login : undefined);
          await proxied.use(browser, (page) => proxied.marks(page));
        });
      }
    }
  });

  test("without TLS, HAProxy delays no frame", async () => {
    const proxied = await ProxiedServer.begin("haproxy", { isPlain: true });
    try {
      await proxied.deliversAtOnce();
    } finally {
      await proxied.dispose();
    }
  });

  test("with TLS on localhost and no configuration of the server", async () => {
    const proxied = await ProxiedServer.begin("nginx", { host: "localhost", isUnknown: true });
    await proxied.use(browser, (page) => proxied.marks(page));
  });

  test("a bell on a page beside the server's path finds the server", async () => {
    const proxied = await ProxiedServer.begin("nginx", { isBelow: true });
    await proxied.use(browser, async (inbox) => {
      const page = await inbox.context().newPage();
      page.faults = faultsOf(page);
      const address = new URL("/app/?a=b", proxied.proxy.url).href;
      const body = `<!doctype html><script type="module" src="/tidings/tidings.js"></script><tidings-bell></tidings-bell>`;
      await page.route(address, (route) => route.fulfill({ contentType: "text/html", body }));
      await page.goto(address);
      await proxied.publish("for the bell");
      await page.getByRole("button", { name: "Notifications, 1 unread" }).waitFor();
      assert.deepEqual(page.faults, []);
      await page.close();
    });
  });
});

/** A server behind a proxy. */
class ProxiedServer {
  server;
  proxy;
  api;
  admin;
  token;

  static async begin(name, { isUnknown = false, ...options }, login) {
    const proxied = new ProxiedServer();
    try {
      proxied.proxy = await Proxy.place(name, options);
      const known = isUnknown ? [] : ["--public-url", proxied.proxy.url];
      proxied.server = await Server.begin([...known, ...(login?.flags ?? [])]);
      proxied.token = await login?.token(ALICE);
      proxied.api = new Api(proxied.server.origin, proxied.token);
      proxied.admin = new Api(proxied.server.origin, await login?.token(ALICE, "events:admin"));
      await proxied.proxy.start(new URL(proxied.server.origin).host);
    } catch (error) {
      await proxied.dispose();
      throw error;
    }
    return proxied;
  }

  /** Opens the page, tries something with it, and ends all. */
  async use(browser, tries) {
    try {
      const context = await browser.context.browser().newContext({ ignoreHTTPSErrors: true });
      try {
        const page = await this.opens(context);
        await tries(page);
        assert.deepEqual(page.faults, []);
        // The server learns through the proxy that a reader has disconnected.
        await page.close();
        await until("streams", () => this.streams(), 0);
      } finally {
        await context.close();
      }
    } finally {
      await this.dispose();
    }
  }

  /** Loads the page and signs in. */
  async opens(context) {
    const page = await context.newPage();
    page.faults = faultsOf(page);
    await page.goto(this.proxy.url);
    assert.equal(page.url(), `${this.proxy.url}/`);
    if (this.token) {
      await page.getByLabel("Token").fill(this.token);
      await page.getByRole("button", { name: "Sign in" }).click();
    }
    await state(page, "Live");
    await leaveList(page);
    return page;
  }

  async showsAtOnce(page) {
    await page.evaluate(() => {
      globalThis.arrivals = {};
      addEventListener("tidings-event", ({ detail }) => {
        globalThis.arrivals[detail.description] = Date.now();
      });
    });
    await isFast(IN_THE_PAGE, async (index) => {
      const description = `on screen ${index}`;
      const begun = Date.now();
      await this.publish(description);
      await title(page, description).waitFor();
      const arrived = await page.evaluate((name) => globalThis.arrivals[name], description);
      return arrived - begun;
    });
  }

  /** Checks the frames as a program reads them. */
  async deliversAtOnce() {
    const { hostname, port } = new URL(this.proxy.url);
    const reader = new CurlReader(`${this.proxy.url}/api/system/events/subscribe`, {
      flags: ["--insecure", "--resolve", `${hostname}:${port}:127.0.0.1`],
      token: this.token,
    });
    try {
      await reader.next(({ name }) => name === "live");
      await isFast(ON_THE_WIRE, async (index) => {
        const frame = reader.next(({ name }) => name === "message");
        await this.publish(`on the wire ${index}`);
        const begun = Date.now();
        await frame;
        return Date.now() - begun;
      });
    } finally {
      await reader.dispose();
    }
  }

  async marks(page) {
    const { id } = await this.publish("to be marked");
    await title(page, "to be marked").focus();
    await page.keyboard.press("e");
    await until("the status", async () => (await this.api.get(id)).status, "read");
    await leaveList(page);
  }

  /**
   * Restarts the server: the page and a browser's `EventSource` reconnect and miss nothing. The server
   * stays down until the `EventSource` has had this number of errors: one for the lost connection, and if
   * the proxy does not hold requests, one more for the proxy's own response.
   */
  async losesNothing(page, errors) {
    await page.evaluate(follow);
    await until("the stream", () => page.evaluate(() => globalThis.opened), 1);
    const expected = [(await this.publish("before the restart")).id];
    await this.server.kill();
    await until("errors", () => page.evaluate((least) => globalThis.errors >= least, errors), true);
    await this.server.start();
    expected.push((await this.publish("after the restart")).id);
    await title(page, "after the restart").waitFor();
    await title(page, "before the restart").waitFor();
    await state(page, "Live");
    await until("what came", () => page.evaluate(() => globalThis.ids), expected);
    assert.equal(await page.evaluate(() => globalThis.stream.readyState), 1);
  }

  async publish(description) {
    const [draft] = drafts(1);
    return this.api.publish({ ...draft, description });
  }

  /** The number of live streams. */
  streams() {
    return this.admin.streams();
  }

  async dispose() {
    await this.proxy?.dispose();
    await this.server?.dispose();
  }
}

/**
 * Checks that enough events take less than a limit.
 *
 * @param {number} limit in milliseconds
 * @param {(index: number) => Promise<number>} measure publishes an event and returns how long it took
 */
async function isFast(limit, measure) {
  const times = [];
  while (times.filter((time) => time < limit).length < FAST) {
    assert(times.length < TRIES, `it takes ${times} ms`);
    times.push(await measure(times.length));
  }
}

/** Runs in the page: follows with the browser's `EventSource`. */
function follow() {
  const stream = new EventSource(new URL("api/system/events/subscribe", location.href));
  Object.assign(globalThis, { stream, ids: [], errors: 0, opened: 0 });
  stream.addEventListener("live", () => {
    globalThis.opened += 1;
  });
  stream.addEventListener("message", ({ data }) => globalThis.ids.push(JSON.parse(data).id));
  stream.addEventListener("error", () => {
    globalThis.errors += 1;
  });
}

const title = (page, text) => page.locator("tidings-list .title", { hasText: text });

/** New events are held while the pointer or the focus is in the list. */
const leaveList = (page) => page.mouse.click(2, 2);

async function state(page, text) {
  const shown = () => page.locator("tidings-inbox .state").textContent();
  await until("the state", async () => (await shown()).trim(), text);
}

/** The browser's errors, except for failed requests while the server is down. */
function faultsOf(page) {
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.stack ?? error.message));
  page.on("console", (message) => {
    const isNetwork = /Failed to load resource|net::ERR_/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isNetwork) {
      faults.push(message.text());
    }
  });
  return faults;
}
