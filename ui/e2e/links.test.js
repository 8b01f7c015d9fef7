import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { draft, noFaults, place, title, until } from "./support.js";

describe("a link to an event", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const copied = (page) => page.evaluate(() => navigator.clipboard.readText());
  const permissions = ["clipboard-read", "clipboard-write"];

  async function copyLink(page) {
    await title(page, "linked").click();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.locator("tidings-event-detail").getByText("Copied").waitFor();
    return copied(page);
  }

  it("leads from another page to the server's own, and is copied without leaving that page", async () => {
    const [{ id }] = await here.api.publish([draft("linked")]);
    const page = await here.host("<main><tidings-inbox></tidings-inbox></main>", { permissions });
    const link = await copyLink(page);
    assert.equal(link, `${here.server.origin}/?event=${id}`);
    assert.equal(page.url(), `${here.server.origin}/host`);
    await page.goto(link);
    await until("it is open", () => page.locator("tidings-event-detail").count(), 1);
    noFaults(page);
  });

  it("leads where the host page says, also from the bell", async () => {
    const [{ id }] = await here.api.publish([draft("linked")]);
    const page = await here.host("<header><tidings-bell></tidings-bell></header>", { permissions });
    await page.evaluate(() => {
      document.querySelector("tidings-bell").eventLink = ({ id }) => `/inbox/${id}?tab=1`;
    });
    await page.locator("tidings-bell .bell").click();
    assert.equal(await copyLink(page), `${here.server.origin}/inbox/${id}?tab=1`);
    await page.evaluate(() => {
      document.querySelector("tidings-bell").eventLink = () => "javascript:alert(1)";
    });
    await page.getByRole("button", { name: "Copy link" }).click();
    await until("the server's own page", () => copied(page), `${here.server.origin}/?event=${id}`);
    noFaults(page);
  });

  it("is shown if the browser blocks copying", async () => {
    const [{ id }] = await here.api.publish([draft("linked")]);
    const page = await here.page(await here.context());
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await title(page, "linked").click();
    await page.getByRole("button", { name: "Copy link" }).click();
    const link = page.locator("tidings-event-detail [role=status] a");
    assert.equal(await link.getAttribute("href"), `${here.server.origin}/?event=${id}`);
    noFaults(page);
  });

  it("of a value leads where the host page says, in its own tab", async () => {
    const metadata = { DownloadLink: "design 1.yaml", ViewLink: "x", note: "plain" };
    await here.api.publish([draft("linked", { metadata })]);
    const page = await here.host("<main><tidings-inbox></tidings-inbox></main>");
    await page.evaluate(() => {
      document.querySelector("tidings-inbox").resolveLink = (key, value, event) =>
        ({
          DownloadLink: `/files?name=${encodeURIComponent(value)}&of=${event.category}`,
          ViewLink: "javascript:alert(1)",
        })[key];
    });
    await title(page, "linked").click();
    const links = page.locator("tidings-event-detail dl a");
    await links.first().waitFor();
    const found = await links.evaluateAll((all) => all.map((link) => [link.textContent, link.href, link.target]));
    assert.deepEqual(found, [["design 1.yaml", `${here.server.origin}/files?name=design%201.yaml&of=deployment`, ""]]);
    noFaults(page);
  });
});
