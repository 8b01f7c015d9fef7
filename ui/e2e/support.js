import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before } from "node:test";

import { Api } from "../../conformance-js/src/api.js";
import { openBrowser } from "../../conformance-js/src/chromium.js";
import { Server } from "../../conformance-js/src/server.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The directory for screenshots, if set. */
const PICTURES = process.env.TIDINGS_PICTURES;

/** The policy of a foreign page that embeds the components. */
const HOST_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; " +
  "require-trusted-types-for 'script'; trusted-types lit-html host";

/** A deadline far beyond any step, in milliseconds; reaching it means that a step is stuck. A broken page is found sooner with a shorter one. */
export const STUCK = Number(process.env.TIDINGS_STUCK ?? 30_000);

/**
 * A server with an empty store and a browser, for the tests of a file.
 *
 * @param {() => Promise<string[]>} [flags] additional flags of `tidings serve`
 */
export function place(flags = async () => []) {
  const here = {};
  const contexts = [];

  before(async () => {
    here.server = await Server.begin(await flags());
    here.api = new Api(here.server.origin);
    const { context, close } = await openBrowser();
    here.browser = context.browser();
    here.close = close;
  });

  after(async () => {
    await here.close?.();
    await here.server?.dispose();
  });

  /**
   * A browser with an empty profile; violations of the CSP fail the test.
   *
   * @param {import("playwright-core").BrowserContextOptions} [options]
   */
  here.context = async (options = {}) => {
    const context = await here.browser.newContext({ reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(STUCK);
    contexts.push(context);
    return context;
  };

  /** Closes the browsers of a test. */
  here.cleanUp = async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  };

  /** A page of the server; its errors are recorded. */
  here.page = async (context, path = "/") => {
    const page = await context.newPage();
    watch(page);
    await page.goto(here.server.origin + path);
    return page;
  };

  /**
   * A page of someone else with the components in `body`, under a strict CSP. With `script`, it loads the components
   * itself.
   */
  here.host = async (body, { script = true, ...options } = {}) => {
    const page = await here.page(await here.context(options), "/healthz");
    const source = `${here.server.origin}/tidings.js`;
    await page.route("**/host", (route) =>
      route.fulfill({
        contentType: "text/html",
        headers: { "content-security-policy": HOST_POLICY },
        body: `<!doctype html><html lang="en"><title>Host</title><style>
          body { margin: 0; font-family: sans-serif } header, .bar { padding: 8px; display: flex; justify-content: end }
          main { height: 500px } h1 { margin: 0; font-size: 1rem }
          </style>${body}${script ? `<script type="module" src="${source}"></script>` : ""}`,
      }),
    );
    await page.goto(`${here.server.origin}/host`);
    return page;
  };

  /** Removes every event. */
  here.clear = async () => {
    await here.api.deleteMany({ all: true });
  };

  /** The number of live streams; with a login, reading it requires an administrator's token. */
  here.streams = async (token = "") => {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch(`${here.server.origin}/metrics`, { headers });
    const line = (await answer.text()).match(/^tidings_subscribers (\d+)$/m);
    return Number(line?.[1]);
  };
  return here;
}

/** Unexpected errors of pages. */
const faults = new WeakMap();

/** Records errors reported by the browser. */
export function watch(page) {
  const found = [];
  faults.set(page, found);
  page.on("pageerror", (error) => found.push(`an error: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    // The browser itself reports failed requests while a server is down.
    const isNetwork = /Failed to load resource|net::ERR_/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isNetwork) {
      found.push(`the console: ${message.text()}`);
    }
  });
}

/** Fails if a page violated its CSP or threw. */
export function noFaults(...pages) {
  for (const page of pages) {
    assert.deepEqual(faults.get(page), []);
  }
}

/** Waits until `look` returns the expected value. */
export async function until(what, look, expected) {
  const end = Date.now() + STUCK;
  let found;
  while (Date.now() < end) {
    found = await look();
    try {
      assert.deepEqual(found, expected);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  assert.deepEqual(found, expected, what);
}

/** The visible titles, from the top. */
export async function titles(page) {
  return page.evaluate(() => {
    const inbox = deep(document, "tidings-list");
    const lines = [...(inbox?.shadowRoot?.querySelectorAll(".line") ?? [])];
    lines.sort((one, other) => Number(one.dataset.index) - Number(other.dataset.index));
    return lines.map((line) => line.querySelector(".text").textContent);

    function deep(root, name) {
      const found = root.querySelector(name);
      if (found) {
        return found;
      }
      for (const element of root.querySelectorAll("*")) {
        const inner = element.shadowRoot && deep(element.shadowRoot, name);
        if (inner) {
          return inner;
        }
      }
      return undefined;
    }
  });
}

/** Waits until exactly these titles are visible. */
export async function shows(page, expected) {
  await until("the titles", () => titles(page), expected);
}

/** Waits until the list shows the given counts. */
export async function counts(page, text) {
  await until("the counts", () => page.locator("tidings-inbox .counts").textContent(), text);
}

/** Waits until the given connection state is shown. */
export async function state(page, text) {
  await until("the state", async () => (await page.locator("tidings-inbox .state").textContent()).trim(), text);
}

/** An event to publish. */
export function draft(description, fields = {}) {
  return {
    actedUpon: "7b1d2c3e-0000-4000-8000-000000000001",
    category: "deployment",
    action: "apply",
    severity: "informational",
    description,
    ...fields,
  };
}

export const title = (page, name) => page.locator("tidings-list .title", { hasText: name });

/**
 * Waits until a page is at rest: no list is dimmed because a newer one is loading, and nothing moves or fades. On a
 * slow machine the checks of contrast would otherwise judge colors between two states.
 */
async function atRest(page) {
  await page.evaluate(async () => {
    const every = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? every(one.shadowRoot) : [])]);
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    // Two frames in a row, as a component can be about to draw what has just arrived.
    for (let quiet = 0; quiet < 2; quiet += 1) {
      await frame();
      const ends = document.getAnimations().filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime));
      await Promise.all(ends.map(({ finished }) => finished.catch(() => {})));
      if (ends.length > 0 || every(document).some(({ classList }) => classList.contains("is-old"))) {
        quiet = -1;
      }
    }
  });
}

/** Fails on violations of WCAG 2.2 AA found by axe, and saves a screenshot. */
export async function look(page, name) {
  await atRest(page);
  if (PICTURES) {
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }
  // Injected outside the page, because its CSP forbids inline scripts.
  await page.evaluate(await readFile(AXE, "utf8"));
  const found = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await window.axe.run(document, { runOnly: { type: "tag", values: tags } });
    return violations.map(({ id, nodes }) => [
      id,
      nodes.map(({ target, failureSummary }) => `${target.flat().join(" ")}: ${failureSummary}`),
    ]);
  });
  assert.deepEqual(found, [], name);
  noFaults(page);
}
