import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { draft, noFaults, place, title, until } from "./support.js";

/** Texts and metadata that try to inject markup or scripts. */
const TEXTS = [
  "<script>window.harmed = 1</script>",
  "<img src=x onerror='window.harmed = 1'>",
  "\"><svg onload=window.harmed=1>",
  "${window.harmed = 1} {{constructor.constructor('window.harmed=1')()}}",
  "‮reversed⁦ \u0007 \u001b[31m bell",
  `${"W".repeat(4_000)}`,
  "line\nline\r\nline\u2028line",
  "   ",
];

const METADATA = [
  { error: { ShortDescription: ["[x](javascript:window.harmed=1) <b onclick=window.harmed=1>b</b>"] } },
  { error: "plain", doc: "https://example.org/'onclick='x" },
  { error: { Code: {}, ShortDescription: { a: 1 }, ProbableCause: [[["deep"]]], SuggestedRemediation: 5 } },
  { "<img src=x onerror=window.harmed=1>": { "__proto__": { polluted: true }, a: [null, [], {}] } },
  { wide: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`key_${n}`, `value ${n}`])) },
  { link: "https://example.org/<script>", DownloadLink: "javascript:window.harmed=1", trace: "a\n".repeat(5_000) },
  { error: { SuggestedRemediation: [`${">".repeat(5_000)}x`, "*".repeat(9_000), "[".repeat(5_000)] } },
  Array.from({ length: 25 }).reduce((inner) => ({ inner }), "bottom"),
];

describe("events of a hostile author", () => {
  const here = place();
  afterEach(() => here.cleanUp());

  it("are rendered as plain text", async () => {
    const events = TEXTS.map((text, n) =>
      draft(`${n}: ${text}`.slice(0, 4_000), {
        severity: "error",
        metadata: METADATA[n % METADATA.length],
      }),
    );
    await here.api.publish(events);
    const page = await here.page(await here.context());
    for (const [n] of events.entries()) {
      await title(page, new RegExp(`(?<!\\d)${n}:`)).first().click();
      const detail = page.locator("tidings-event-detail");
      await until(`the details of ${n}`, () => detail.count(), 1);
      await detail.getByText("Copy as JSON").waitFor();
      for (const link of await detail.locator("a").all()) {
        assert.match(await link.getAttribute("href"), /^https?:\/\//);
      }
      await page.keyboard.press("Escape");
    }
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    assert.equal(await page.evaluate(() => ({}).polluted), undefined);
    noFaults(page);
  });
});
