import assert from "node:assert/strict";
import { afterEach, before, describe, it } from "node:test";

import { draft, noFaults, place, state, titles, until } from "./support.js";

const EVENTS = 100_000;
const BATCH = 1_000;

/** The number of live events published at once. */
const BURST = 1_000;

const SEVERITIES = ["debug", "informational", "success", "warning", "error"];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

describe(`an inbox of ${EVENTS.toLocaleString("en")} events`, () => {
  const here = place();
  before(async () => {
    for (let first = 0; first < EVENTS; first += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, n) =>
        draft(`event ${first + n}`, { severity: SEVERITIES[n % SEVERITIES.length] }),
      );
      await here.api.publish(batch);
    }
  });
  afterEach(() => here.cleanUp());

  it("renders immediately", async (test) => {
    const page = await (await here.context()).newPage();
    // Measured by the page itself from navigation start until rows are painted.
    await page.addInitScript(() => {
      const look = () => {
        const inner = (element, name) => element?.shadowRoot?.querySelector(name);
        const inbox = inner(document.querySelector("tidings-page"), "tidings-inbox");
        if (inner(inner(inbox, "tidings-list") && inner(inbox, "tidings-list"), ".row")) {
          requestAnimationFrame(() => setTimeout(() => (window.painted = performance.now())));
        } else {
          requestAnimationFrame(look);
        }
      };
      requestAnimationFrame(look);
    });
    const times = [];
    for (let turn = 0; turn < 9; turn += 1) {
      await page.goto("about:blank");
      await page.goto(here.server.origin);
      await page.waitForFunction(() => window.painted);
      times.push(await page.evaluate(() => window.painted));
    }
    test.diagnostic(
      `first rows on screen after ${Math.round(median(times))} ms (median of ${times.length}; ` +
        `${times.map(Math.round).join(", ")})`,
    );
  });

  it("scrolls to its end page by page with few rows in the document", async () => {
    const page = await here.page(await here.context());
    await until("the total", async () => {
      const text = await page.locator("tidings-inbox .counts").textContent();
      return text.startsWith(`${EVENTS.toLocaleString("en")} notifications`);
    }, true);
    const scroller = page.locator("tidings-list .scroller");
    await until("far down", async () => {
      await scroller.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
      const numbers = (await titles(page)).map((title) => Number(title.split(" ")[1]));
      return Math.min(...numbers) < EVENTS - 2_000;
    }, true);
    const numbers = (await titles(page)).map((title) => Number(title.split(" ")[1]));
    assert.deepEqual(numbers, numbers.toSorted((a, b) => b - a), "in order");
    assert.equal(new Set(numbers).size, numbers.length, "none twice");
    assert.ok((await page.locator("tidings-list .line").count()) < 60);
    noFaults(page);
  });

  it("shows every event of a burst", async (test) => {
    const page = await here.page(await here.context());
    await state(page, "Live");
    await page.evaluate(() => {
      window.long = [];
      new PerformanceObserver((list) => {
        window.long.push(...list.getEntries().map(({ duration }) => duration));
      }).observe({ type: "longtask" });
    });
    const begun = Date.now();
    const publishing = Array.from({ length: BURST / 50 }, (_, batch) =>
      here.api.publish(Array.from({ length: 50 }, (_, n) => draft(`live ${batch * 50 + n}`))),
    );
    await Promise.all(publishing);
    await until("all of them", async () => {
      const text = await page.locator("tidings-inbox .counts").textContent();
      return text.startsWith(`${(EVENTS + BURST).toLocaleString("en")} notifications`);
    }, true);
    const took = Date.now() - begun;
    const long = await page.evaluate(() => window.long);
    const longest = long.length > 0 ? Math.round(Math.max(...long)) : 0;
    test.diagnostic(
      `${BURST} live events in ${took} ms: ${long.length} tasks over 50 ms, the longest ${longest} ms`,
    );
    noFaults(page);
  });
});
