import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { draft, look, noFaults, place, state, title, until } from "./support.js";

const FAILURE = draft("The image cannot be pulled", {
  severity: "error",
  metadata: {
    namespace: "shop",
    error: {
      Code: "deploy-1042",
      ShortDescription: ["The image cannot be pulled."],
      LongDescription: ["The registry answered 403"],
      ProbableCause: ["The pull secret has expired"],
      SuggestedRemediation: ["Renew the pull secret"],
    },
  },
});

describe("the details of an event", () => {
  const here = place();
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const times = async (page, text) => {
    const shown = await page.locator("tidings-list .line").innerText();
    return shown.toLowerCase().split(text.toLowerCase()).length - 1;
  };

  it("leave the list as it is if the script of the dialogs is missing", async () => {
    await here.api.publish(FAILURE);
    const page = await here.page(await here.context());
    let isGone = true;
    await page.route("**/assets/dialogs-*.js", (route) =>
      isGone ? route.fulfill({ status: 404, body: "" }) : route.continue(),
    );
    await title(page, "The image").waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("Could not load the dialog. Reload the page if the problem persists.").waitFor();
    assert.equal(await page.locator("dialog[open]").count(), 0);
    isGone = false;
    await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
    await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("heading", { name: "Notification settings" }).waitFor();
    noFaults(page);
  });

  it("fall back to plain text while their script is missing", async () => {
    await here.api.publish(FAILURE);
    const page = await here.page(await here.context());
    let isGone = true;
    await page.route("**/assets/detail-*.js", (route) =>
      isGone ? route.fulfill({ status: 404, body: "" }) : route.continue(),
    );
    await title(page, "The image").click();
    const plain = page.locator(".plain-detail");
    for (const text of ["The registry answered 403", "The pull secret has expired", "Renew the pull secret", "deploy-1042"]) {
      await plain.getByText(text).first().waitFor();
    }
    await plain.getByText("Could not load the full view.").waitFor();
    await look(page, "detail-plain");
    await plain.getByRole("button", { name: "Try again" }).click();
    await plain.getByRole("button", { name: "Try again" }).waitFor();
    isGone = false;
    await plain.getByRole("button", { name: "Try again" }).click();
    await page.locator("tidings-event-detail").getByText("Renew the pull secret").waitFor();
    assert.equal(await plain.count(), 0);
    noFaults(page);
  });

  it("say when the event expires, and go with it", async () => {
    await here.api.publish(draft("The cluster restarts", { expiresAt: "2200-01-02T12:00:00Z" }));
    const end = new Date(Date.now() + 8_000).toISOString();
    await here.api.publish(draft("The queue is paused", { expiresAt: end }));
    const page = await here.page(await here.context());
    await title(page, "The queue is paused").waitFor();
    await title(page, "The cluster restarts").click();
    await page.locator("tidings-event-detail").getByText("About this notification").click();
    const fact = page.locator("tidings-event-detail dl div", { hasText: "Expires" });
    await fact.getByText("2200").waitFor();
    await title(page, "The queue is paused").waitFor({ state: "detached" });
    assert.equal(await title(page, "The cluster restarts").count(), 1);
    noFaults(page);
  });

  it("fall back to plain text while the server is down, and recover by themselves", async () => {
    await here.api.publish(FAILURE);
    const page = await here.page(await here.context());
    await state(page, "Live");
    await here.server.kill();
    await title(page, "The image").click();
    await page.locator(".plain-detail").getByText("Renew the pull secret").first().waitFor();
    await here.server.start();
    await page.locator("tidings-event-detail").getByText("Renew the pull secret").waitFor();
    noFaults(page);
  });

  it("show each text of an error once", async () => {
    const text = "dial tcp 10.0.0.7:443: connection refused";
    const error = {
      ShortDescription: [text],
      LongDescription: [`${text}.`],
      ProbableCause: [text.toUpperCase()],
      SuggestedRemediation: [],
    };
    const forms = [{ error }, { error: text }, { err: text, message: text }, { error, summary: text }];
    for (const [n, metadata] of forms.entries()) {
      await here.clear();
      await here.api.publish(draft(text, { severity: "error", metadata }));
      const page = await here.page(await here.context());
      await title(page, text).click();
      await page.locator("tidings-event-detail").getByText("Copy as JSON").waitFor();
      await until(`the form ${n}`, () => times(page, text), 1);
      if (n === 0) {
        await look(page, "detail-once");
      }
    }
  });

  it("keep the words of a table whole and code apart from its box", async () => {
    const remedy = [
      "| component | namespace | message |",
      "|---|---|---|",
      "| deployment/shop-web-frontend | shop-production | ImagePullBackOff |",
      "",
      "Run `kubectl get pods`, then:",
      "",
      "```sh",
      "kubectl rollout restart",
      "```",
    ].join("\n");
    const metadata = { error: { ShortDescription: ["x"], SuggestedRemediation: [remedy] } };
    await here.api.publish(draft("a failure", { severity: "error", metadata }));
    for (const colorScheme of ["light", "dark"]) {
      const viewport = { width: 390, height: 780 };
      const page = await here.page(await here.context({ colorScheme, viewport }));
      await title(page, "a failure").click();
      const detail = page.locator("tidings-event-detail");
      await detail.locator("td").first().waitFor();
      const lines = await detail.locator("td").evaluateAll((cells) =>
        cells.map((cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return new Set([...range.getClientRects()].map(({ top }) => top)).size;
        }),
      );
      // A browser breaks a word after a slash or a hyphen only.
      assert.deepEqual(lines.slice(2), [1]);
      const cut = await detail.evaluate((element) => element.scrollWidth > element.clientWidth);
      assert.equal(cut, false, "the table scrolls within the details");
      const colors = await detail.evaluate(({ shadowRoot }) =>
        ["pre", ".remedy", "p > code"].map((name) => getComputedStyle(shadowRoot.querySelector(name)).backgroundColor),
      );
      assert.equal(new Set(colors).size, 3, colors.join());
      await look(page, `markdown-${colorScheme}`);
    }
  });

  it("and the title can be copied as text", async () => {
    await here.api.publish(FAILURE);
    const page = await here.page(await here.context({ permissions: ["clipboard-read", "clipboard-write"] }));
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    const { x, y, height } = await title(page, "The image").locator(".text").boundingBox();
    await page.mouse.move(x + 1, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + 80, y + height / 2, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.press("Control+c");
    const isCopied = async () => (await copied()).length > 5 && FAILURE.description.startsWith(await copied());
    await until("it is copied", isCopied, true);
    assert.equal(await page.locator("tidings-event-detail").count(), 0, "a selection does not open the event");
    await title(page, "The image").focus();
    for (const [key, count] of [["Space", 1], ["Enter", 0], ["Enter", 1]]) {
      await page.keyboard.press(key);
      await until("it toggles", () => page.locator("tidings-event-detail").count(), count);
    }
    await page.getByRole("button", { name: "Copy text" }).click();
    await until("the text is copied", async () => (await copied()).split("\n")[0], "Error: The image cannot be pulled");
    assert.match(await copied(), /Probable cause:\n- The pull secret has expired\n/);
    noFaults(page);
  });

  it("show a deployment's failures first, and many resources folded, without running out of room", async () => {
    const error = {
      Code: "meshery-1042",
      ShortDescription: ["The pod is denied by a quota"],
      ProbableCause: ["The quota of the namespace is used up"],
      SuggestedRemediation: ["Raise it: `kubectl edit quota`"],
    };
    const result = (Kind, Success, Message, fields = {}) => ({ Kind, Model: "kubernetes", Success, Message, ...fields });
    const metadata = {
      design: { name: "shop", owner: { team: { name: "platform", contact: { mail: "p@example.org" } } } },
      summary: {
        "web-server": [
          { Location: "kind-west", Summary: [result("Deployment", true, "Created deployment/web-server")] },
          { Location: "kind-east", Summary: [result("Deployment", false, "Denied", { Error: error })] },
        ],
      },
      resources: Array.from({ length: 24 }, (_, n) => ({ kind: "Pod", name: `web-server-7d9f-${n}`, namespace: "shop" })),
      output: "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:5)\n\tat d.E.f(E.java:9)",
    };
    await here.api.publish(draft("Deployed **shop** partly, see https://example.org/runs/7", { severity: "error", metadata }));
    for (const width of [1100, 512, 390]) {
      const viewport = { width, height: 800 };
      const page = await here.page(await here.context({ viewport, permissions: ["clipboard-read", "clipboard-write"] }));
      await title(page, "Deployed").click();
      const detail = page.locator("tidings-event-detail");
      await detail.getByRole("cell", { name: "Failed" }).waitFor();
      assert.equal(await detail.locator("tbody tr").first().locator("td").nth(2).innerText(), "kind-east");
      await detail.getByText("Raise it:").waitFor();
      assert.equal(await detail.getByRole("link", { name: "https://example.org/runs/7" }).count(), 1);
      assert.equal(await detail.locator("strong", { hasText: "shop" }).count(), 1);
      const resources = detail.locator("table", { hasText: "web-server-7d9f-0" });
      assert.equal(await resources.locator("tr:visible").count(), 11);
      assert.ok((await resources.boundingBox()).height < 450);
      await detail.getByRole("button", { name: "Show 14 more" }).click();
      assert.equal(await resources.locator("tr:visible").count(), 25);
      const mail = await detail.getByText("p@example.org").boundingBox();
      assert.ok(mail.width > 60, `a deep value has room: ${mail.width}`);
      await detail.getByRole("button", { name: "Copy", exact: true }).click();
      await until("the trace is copied", () => page.evaluate(() => navigator.clipboard.readText()), metadata.output);
      const wide = await detail.evaluate((element) => element.scrollWidth - element.clientWidth);
      assert.ok(wide <= 0, "only tables and traces scroll sideways");
      await look(page, `deployment-${width}`);
    }
  });
});
