import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { draft, look, noFaults, place, state, title, until } from "./support.js";

const OPERATION = "0193f0a0-0000-7000-8000-00000000aaaa";

/** A day of a platform. */
const DAY = [
  draft("Nightly backup of orders finished: 48 GiB in 21 minutes", { category: "backup", action: "finish", severity: "success" }),
  draft("Kubernetes 1.36 will be rolled out tonight at 22:00", { category: "maintenance", action: "announce", severity: "informational", owner: "system" }),
  draft("Disk of db-2 is 91 % full", { category: "volume", action: "fill", severity: "warning" }),
  draft("Connected to the cluster staging-eu", { category: "connection", action: "register", severity: "success" }),
  draft("Certificate of api.example.org ends in 3 days", { category: "certificate", action: "expire", severity: "alert" }),
  draft("Rollout of shop-web 2.4.1 has begun", { operationId: OPERATION, action: "start" }),
  draft("3 of 6 pods are ready", { operationId: OPERATION, action: "progress" }),
  draft("Rollout of shop-web 2.4.1 failed: the image cannot be pulled", {
    operationId: OPERATION,
    action: "apply",
    severity: "error",
    metadata: {
      doc: "https://docs.example.org/images",
      k8sContextName: "staging-eu",
      namespace: "shop",
      replicas: { ready: 3, wanted: 6 },
      error: {
        Code: "deploy-1042",
        Severity: 2,
        ShortDescription: ["The image registry.example.org/shop-web:2.4.1 cannot be pulled"],
        LongDescription: ["The registry answered 403 for the manifest, three times in two minutes."],
        ProbableCause: ["The pull secret of the namespace `shop` has expired", "The tag was never pushed"],
        SuggestedRemediation: ["Renew the secret, then **roll out again**: `kubectl -n shop rollout restart deploy/shop-web`. [How to renew it](https://docs.example.org/secrets)"],
      },
    },
  }),
];

describe("every view", () => {
  const here = place();
  afterEach(() => here.cleanUp());

  it("passes axe in light and dark themes and on a narrow screen", async () => {
    const light = await here.page(await here.context({ colorScheme: "light" }));
    await light.getByRole("heading", { name: "Send your first event" }).waitFor();
    await state(light, "Live");
    await look(light, "empty");

    for (const event of DAY) {
      await here.api.publish(event);
    }
    const stored = await here.api.list();
    await here.api.markMany({ ids: stored.events.slice(-4).map(({ id }) => id), status: "read" });

    for (const [scheme, viewport, name] of [
      ["light", { width: 1200, height: 760 }, "light"],
      ["dark", { width: 1200, height: 760 }, "dark"],
      ["light", { width: 390, height: 780 }, "narrow"],
      ["dark", { width: 320, height: 640 }, "narrowest-dark"],
    ]) {
      const page = await here.page(await here.context({ colorScheme: scheme, viewport }));
      await state(page, "Live");
      await title(page, "failed").waitFor();
      await look(page, name);
      await page.getByRole("button", { name: "2 earlier steps" }).click();
      await title(page, "3 of 6").waitFor();
      await title(page, "failed").click();
      await page.locator("tidings-event-detail").getByText("What to do next").waitFor();
      await look(page, `${name}-open`);
      await page.keyboard.press("Escape");
    }
  });

  it("passes axe in dialogs, menus and notices", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const page = await here.page(await here.context({ colorScheme }));
      await title(page, "failed").waitFor();
      await page.getByRole("button", { name: "Filters" }).click();
      await page.getByLabel("Status").selectOption("unread");
      await page.getByLabel("Category").locator("option", { hasText: "backup" }).waitFor({ state: "attached" });
      await look(page, `${colorScheme}-filters`);
      await page.getByRole("button", { name: "Remove the filter Unread" }).click();
      await page.getByRole("button", { name: "Filters" }).click();
      await page.getByLabel("Select: Disk").click();
      await look(page, `${colorScheme}-selected`);
      await page.getByRole("button", { name: "Clear selection" }).click();
      await title(page, "Disk").focus();
      await page.keyboard.press("#");
      await page.getByRole("button", { name: "Undo" }).waitFor();
      await look(page, `${colorScheme}-undo`);
      await page.getByRole("button", { name: "Undo" }).click();
      for (const name of ["Settings", "Keyboard shortcuts"]) {
        await page.getByRole("button", { name }).click();
        await page.locator("dialog[open]").waitFor();
        await look(page, `${colorScheme}-${name.split(" ")[0].toLowerCase()}`);
        await page.keyboard.press("Escape");
      }
      await page.getByPlaceholder("Search descriptions").fill("nowhere");
      await page.getByRole("heading", { name: "No notifications match" }).waitFor();
      await look(page, `${colorScheme}-no-match`);
    }
  });

  it("follows the `theme` attribute over the browser's preference", async () => {
    const page = await here.page(await here.context({ colorScheme: "light" }));
    await title(page, "failed").waitFor();
    await page.locator("tidings-inbox").evaluate((inbox) => inbox.setAttribute("theme", "dark"));
    for (const inner of ["tidings-list", "tidings-filter-bar"]) {
      const scheme = await page.locator(inner).evaluate((element) => getComputedStyle(element).colorScheme);
      assert.equal(scheme, "dark", inner);
    }
    noFaults(page);
  });

  it("passes axe while the server is down", async () => {
    const page = await here.page(await here.context());
    await title(page, "failed").waitFor();
    await state(page, "Live");
    await here.server.kill();
    await until("lost", async () => (await page.locator("tidings-inbox .state").textContent()).trim() !== "Live", true);
    await look(page, "reconnecting");
    await page.locator(".chip", { hasText: "Success" }).click();
    await page.getByRole("heading", { name: "Could not load notifications" }).waitFor();
    await look(page, "failed");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Could not load notifications" }).waitFor();
    // The list is loaded without another click when the server is back.
    await here.server.start();
    await title(page, "Nightly backup").waitFor();
    assert.equal(await page.locator(".notice").count(), 0);
  });

  it("tells unread, selected and filtered apart in forced colors", async () => {
    const page = await here.page(await here.context({ forcedColors: "active" }), "/?severity=alert,error,success");
    await title(page, "failed").waitFor();
    await state(page, "Live");
    const style = (selector, name) =>
      page.locator(selector).first().evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), name);
    const surface = await style("tidings-list .row", "background-color");
    const bar = (row) => style(`tidings-list .row${row}`, "border-inline-start-color");
    assert.equal(await bar(":not(.is-unread)"), surface, "a read row has no bar");
    assert.notEqual(await bar(".is-unread"), surface);
    await page.getByLabel("Select: Nightly").click();
    assert.equal(await style("tidings-list .row.is-chosen", "outline-style"), "solid");
    const chip = (pressed) => style(`tidings-filter-bar .chip[aria-pressed=${pressed}]`, "background-color");
    assert.notEqual(await chip(true), await chip(false));
    assert.notEqual(await style(".state i", "background-color"), surface, "the dot is visible");
    await look(page, "forced");
  });

  it("leaves room for the list on a low screen and at 200 % zoom", async () => {
    for (const [width, height, least] of [[640, 360, 120], [844, 390, 130], [320, 568, 190]]) {
      const page = await here.page(await here.context({ viewport: { width, height } }));
      await title(page, "failed").waitFor();
      await page.getByRole("button", { name: "Filters" }).click();
      await page.getByLabel("Time").waitFor();
      const list = await page.locator("tidings-list").boundingBox();
      assert.ok(list.height >= least, `${width} x ${height}: ${list.height}`);
      await page.getByLabel("Time").selectOption({ label: "Last hour" });
      await page.getByRole("button", { name: /^Remove the filter Since/ }).click();
      await look(page, `low-${width}`);
    }
  });

  it("prints every row that is on the screen, in light colors and without controls", async () => {
    await here.api.publish(Array.from({ length: 15 }, (_, n) => draft(`printed ${n}`)));
    const page = await here.page(await here.context({ colorScheme: "dark", viewport: { width: 800, height: 600 } }));
    await title(page, "printed 14").waitFor();
    await title(page, "printed 14").click();
    await page.getByRole("button", { name: "Copy text" }).waitFor();
    await page.mouse.move(0, 0);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const rows = await page.locator("tidings-list .line").evaluateAll((lines) =>
      lines.map((line) => line.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom]),
    );
    assert.ok(rows.length >= 15, `${rows.length} rows`);
    for (const [n, [top]] of rows.entries()) {
      assert.ok(n === 0 || top >= rows[n - 1][1] - 1, "one below the other");
    }
    const cut = await page.locator("tidings-page").evaluate((element) => {
      const inside = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? inside(one.shadowRoot) : [])]);
      const clips = ({ clientHeight, scrollHeight }) => clientHeight > 0 && scrollHeight > clientHeight + 1;
      return inside(element.shadowRoot)
        .filter((one) => getComputedStyle(one).overflowY !== "visible" && clips(one))
        .filter((one) => !one.matches(".hidden-text, .text, .facts"))
        .map(({ className, tagName }) => `${tagName} ${className}`);
    });
    assert.deepEqual(cut, [], "nothing is cut off");
    assert.equal(await page.locator("tidings-list .row").first().evaluate((row) => getComputedStyle(row).backgroundColor), "rgb(255, 255, 255)");
    for (const name of ["Copy text", "Delete", "Settings", "Filters"]) {
      assert.equal(await page.getByRole("button", { name }).first().isVisible(), false, name);
    }
    await here.clear();
  });
});
