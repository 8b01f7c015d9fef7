import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { draft, look, noFaults, place, title, until } from "./support.js";

const HEBREW = "הפריסה נכשלה: staging-eu";

describe("another language", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const failure = (text) =>
    draft(text, {
      severity: "error",
      metadata: {
        note: text,
        error: { ShortDescription: [`${text} 1`], ProbableCause: [`${text} 2`, `${text} 3`], SuggestedRemediation: [`${text} 4 \`ls\``] },
      },
    });

  it("of an event has its own direction, and is not claimed to be English", async () => {
    await here.api.publish([failure(HEBREW), failure("deployment failed")]);
    const page = await here.page(await here.context());
    const direction = (locator) => locator.evaluate((element) => getComputedStyle(element).direction);
    assert.equal(await direction(title(page, "deployment failed").locator(".text")), "ltr");
    assert.equal(await direction(title(page, HEBREW).locator(".text")), "rtl");
    await title(page, HEBREW).click();
    const detail = page.locator("tidings-event-detail");
    for (const number of [1, 2, 3, 4]) {
      assert.equal(await direction(detail.getByText(`${HEBREW} ${number}`)), "rtl", `text ${number}`);
    }
    assert.equal(await direction(detail.locator("code").first()), "ltr");
    const languages = await detail.getByText(HEBREW).evaluateAll((texts) => texts.map((text) => text.closest("[lang]")?.lang));
    assert.deepEqual([...new Set(languages)], [""]);
    await look(page, "hebrew-event");
  });

  it("of a host page does not change that of the components", async () => {
    await here.api.publish(failure("deployment failed"));
    const page = await here.host("<header><tidings-bell></tidings-bell><tidings-bell lang=de></tidings-bell></header>");
    await page.evaluate(() => (document.documentElement.lang = "de"));
    await page.locator("tidings-bell .bell").first().click();
    await until("the languages", () => page.locator("tidings-bell").evaluateAll((bells) => bells.map(({ lang }) => lang)), ["en", "de"]);
    await until("the drawer's", () => page.locator("tidings-inbox").getAttribute("lang"), "en");
    noFaults(page);
  });

  it("from right to left mirrors everything", async () => {
    await here.api.publish(failure(HEBREW));
    const page = await here.host("<header><tidings-bell></tidings-bell></header><main><h1>Host</h1></main>");
    await page.evaluate(() => (document.documentElement.dir = "rtl"));
    const { width } = page.viewportSize();
    const left = async (locator) => (await locator.boundingBox()).x;
    const badge = await left(page.locator(".badge"));
    const bell = await page.locator(".bell").boundingBox();
    assert.ok(badge < bell.x + bell.width / 2, "the badge is on the left of the bell");
    await page.locator(".bell").click();
    // English texts keep their order, which a leading number would lose.
    const ends = await page.locator("tidings-inbox .counts bdi").evaluate((text) => {
      const range = document.createRange();
      const node = [...text.childNodes].find(({ data, nodeType }) => nodeType === Node.TEXT_NODE && data.trim());
      const place = (index) => {
        range.setStart(node, index);
        range.setEnd(node, index + 1);
        return range.getBoundingClientRect().left;
      };
      return [place(0), place(2)];
    });
    assert.ok(ends[0] < ends[1], `the number stands before its word: ${ends}`);
    assert.equal(await left(page.locator("dialog.drawer")), 0, "the drawer comes from the left");
    const row = page.locator("tidings-list .row");
    const [box, icon, name] = await Promise.all([".choose", ".icon", ".title"].map((part) => left(row.locator(part))));
    assert.ok(box > icon && icon > name, "a row begins on the right");
    await here.api.publish(draft("an English title"));
    await until("both", () => page.locator("tidings-list .row").count(), 2);
    const starts = await page.locator("tidings-list .text").evaluateAll((texts) =>
      texts.map((text) => {
        const range = document.createRange();
        range.selectNodeContents(text);
        return Math.round(range.getBoundingClientRect().right);
      }),
    );
    assert.equal(new Set(starts).size, 1, `titles begin at one edge: ${starts}`);
    await title(page, HEBREW).click();
    const cause = await page.locator("tidings-event-detail .cause").evaluate((element) => {
      const { paddingLeft, paddingRight, borderRightWidth } = getComputedStyle(element);
      return [parseFloat(paddingLeft), parseFloat(paddingRight) > 0, borderRightWidth];
    });
    assert.deepEqual(cause, [0, true, "3px"]);
    const detail = await page.locator("tidings-list .detail").evaluate((element) => {
      const { paddingLeft, paddingRight } = getComputedStyle(element);
      return parseFloat(paddingRight) > parseFloat(paddingLeft);
    });
    const bullets = await page.locator("tidings-event-detail .cause ul > li").evaluateAll((items) =>
      items.map((item) => getComputedStyle(item).direction),
    );
    assert.deepEqual(bullets, ["rtl", "rtl"], "bullets stand before the texts");
    assert.ok(detail, "the details are indented on the right");
    await look(page, "right-to-left-drawer");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.evaluate(() => localStorage.setItem("tidings:settings", JSON.stringify({ toasts: ["error"] })));
    await page.getByRole("button", { name: /^Notifications/ }).waitFor();
    await here.api.publish(failure("again"));
    const toast = page.locator(".toast");
    await toast.waitFor();
    assert.ok((await left(toast)) < width / 2, "toasts are on the left");
    await look(page, "right-to-left");
  });
});
