import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";

import { draft, look, noFaults, place, shows, title, titles, until } from "./support.js";

describe("the components in another page", () => {
  const here = place();
  const { host } = here;
  beforeEach(() => here.clear());
  afterEach(() => here.cleanUp());

  const load = (page) => page.evaluate(() => {
    const script = document.createElement("script");
    script.type = "module";
    const policy = { createScriptURL: (url) => url };
    // The page's CSP allows scripts of its own origin, but not script addresses as strings.
    script.src = globalThis.trustedTypes ? trustedTypes.createPolicy("host", policy).createScriptURL("/tidings.js") : "/tidings.js";
    document.head.append(script);
    return customElements.whenDefined("tidings-bell").then(() => undefined);
  });

  it("keep properties set before the script was loaded", async () => {
    await here.api.publish([draft("an error", { severity: "error" }), draft("a success", { severity: "success" })]);
    const page = await host("<main><tidings-inbox></tidings-inbox></main><tidings-bell></tidings-bell>", {
      script: false,
    });
    await page.evaluate(() => {
      globalThis.asked = { bell: 0, inbox: 0 };
      const [inbox, bell] = ["inbox", "bell"].map((name) => document.querySelector(`tidings-${name}`));
      Object.assign(inbox, {
        getToken: () => ((asked.inbox += 1), null),
        server: `${location.origin}/`,
        filter: { severity: ["error"] },
        theme: "dark",
        pageKeys: true,
      });
      Object.assign(bell, {
        getToken: () => ((asked.bell += 1), null),
        server: `${location.origin}/`,
        theme: "dark",
        noDrawer: true,
        open: true,
      });
    });
    await load(page);
    await shows(page, ["an error"]);
    const seen = await page.evaluate(() => {
      const [inbox, bell] = ["inbox", "bell"].map((name) => document.querySelector(`tidings-${name}`));
      return {
        asked: [asked.inbox > 0, asked.bell > 0],
        inbox: [inbox.server, inbox.filter, inbox.theme, inbox.pageKeys, inbox.getAttribute("theme")],
        bell: [bell.server, bell.theme, bell.noDrawer, bell.open, bell.hasAttribute("open")],
        own: [...Object.keys(inbox), ...Object.keys(bell)].filter((name) => /^(getToken|filter|server|theme|open|noDrawer|pageKeys|eventId)$/.test(name)),
      };
    });
    const address = `${here.server.origin}/`;
    assert.deepEqual(seen, {
      asked: [true, true],
      inbox: [address, { severity: ["error"] }, "dark", true, "dark"],
      bell: [address, "dark", true, true, true],
      own: [],
    });
    // The properties are still accessors.
    await page.evaluate(() => (document.querySelector("tidings-inbox").filter = { severity: ["success"] }));
    await shows(page, ["a success"]);
  });

  it("adopt React props set before the script was loaded", async () => {
    await here.api.publish([draft("an error", { severity: "error" }), draft("a success", { severity: "success" })]);
    // React 19 does not set the properties of an undefined element later.
    const page = await host(`<main><tidings-inbox filter="[object Object]"></tidings-inbox></main><tidings-bell></tidings-bell>`, {
      script: false,
    });
    await page.evaluate(() => {
      globalThis.asked = { bell: 0, inbox: 0 };
      document.querySelector("tidings-inbox")["__reactProps$4x"] = {
        children: undefined,
        getToken: () => ((asked.inbox += 1), null),
        filter: { severity: ["error"] },
        version: "not a property for others",
      };
      document.querySelector("tidings-bell")["__reactProps$4x"] = {
        getToken: () => ((asked.bell += 1), null),
        noDrawer: true,
      };
    });
    await load(page);
    await shows(page, ["an error"]);
    await until("the bell asks too", () => page.evaluate(() => asked.bell > 0 && asked.inbox > 0), true);
    assert.equal(await page.evaluate(() => document.querySelector("tidings-bell").noDrawer), true);
    noFaults(page);
  });

  it("ignore an equal filter", async () => {
    await here.api.publish([
      draft("an error", { severity: "error" }),
      draft("a warning", { severity: "warning" }),
      draft("a success", { severity: "success" }),
    ]);
    const page = await host("<main><tidings-inbox></tidings-inbox></main>");
    const lists = [];
    page.on("request", (request) => /events\?/.test(request.url()) && lists.push(request.url()));
    const draw = (filter) => page.evaluate((given) => (document.querySelector("tidings-inbox").filter = given), filter);
    await draw({ severity: ["error", "warning"], status: "unread" });
    await shows(page, ["a warning", "an error"]);
    await page.getByRole("button", { name: "Warning 1" }).click();
    await shows(page, ["an error"]);
    const before = lists.length;
    for (const again of [
      { severity: ["error", "warning"], status: "unread" },
      { status: "unread", severity: ["warning", "error"] },
      { status: "unread", severity: ["warning", "error"], category: [], search: "" },
    ]) {
      await draw(again);
    }
    await here.api.publish(draft("another error", { severity: "error" }));
    await shows(page, ["another error", "an error"]);
    assert.equal(lists.length, before, "nothing is listed again");
    await draw({ severity: ["success"] });
    await shows(page, ["a success"]);
    await draw(null);
    await until("all", async () => (await titles(page)).length, 4);
    noFaults(page);
  });

  /** Enables toasts for errors. */
  const wantToasts = async (page) => {
    await page.evaluate(() => localStorage.setItem("tidings:settings", JSON.stringify({ toasts: ["error"] })));
    await page.reload();
  };
  const live = (page) => until("live", () => here.streams().then((streams) => streams > 0 && page.locator("tidings-bell .bell").count().then((bells) => bells > 0)), true);
  const fail = (text) => here.api.publish(draft(text, { severity: "error" }));

  it("show toasts above any header, each once, with a close button", async () => {
    const page = await host(`
      <header style="position: sticky; top: 0; transform: translateZ(0); overflow: hidden; height: 44px;
        backdrop-filter: blur(4px); background: #123c; color: #fff">
        <h1>Host</h1><tidings-bell></tidings-bell><tidings-bell id="second"></tidings-bell>
      </header>
      <main style="position: relative; z-index: 2147483647; background: #eee"></main>`);
    await wantToasts(page);
    await live(page);
    await fail("first");
    await page.locator(".toast", { hasText: "first" }).waitFor();
    await fail("second");
    await page.locator(".toast", { hasText: "second" }).waitFor();
    assert.equal(await page.locator(".toast").count(), 2);
    assert.equal(await page.locator(".toasts").count(), 1, "the bells share them");
    const [toast, bell] = [
      await page.locator(".toast").first().boundingBox(),
      await page.locator("tidings-bell").first().boundingBox(),
    ];
    const { width, height } = page.viewportSize();
    assert.ok(toast.y > bell.y + bell.height && toast.y + toast.height <= height, "in the corner, not on the bell");
    assert.ok(toast.x + toast.width <= width);
    await look(page, "toasts-in-header");
    await page.locator(".toast", { hasText: "first" }).getByRole("button", { name: "Dismiss" }).click();
    await until("one is left", () => page.locator(".toast").count(), 1);
    // This also holds while the drawer makes everything else inert.
    await page.locator("#second .bell").click();
    await page.locator("#second dialog[open]").waitFor();
    await fail("third");
    await page.locator(".toast", { hasText: "third" }).getByRole("button", { name: "Dismiss" }).click();
    await until("one is left", () => page.locator(".toast").count(), 1);
    await page.locator(".toast .what").click();
    await until("it is open", () => page.locator("tidings-event-detail").count(), 1);
    await until("none is left", () => page.locator(".toast").count(), 0);
    noFaults(page);
  });

  it("keep toasts off a bell at the foot of the page", async () => {
    const page = await host(`<main></main>
      <header style="position: fixed; bottom: 0; left: 0; right: 0"><tidings-bell></tidings-bell></header>`);
    await wantToasts(page);
    await live(page);
    await fail("look up");
    const { y } = await page.locator(".toast").boundingBox();
    assert.ok(y < 100);
    await page.locator("tidings-bell .bell").click();
    await page.locator("tidings-bell dialog[open]").waitFor();
    noFaults(page);
  });

  it("have a visible bell and badge on any header", async () => {
    await here.api.publish(["error", "warning", "critical"].map((severity) => draft(severity, { severity })));
    const headers = [
      "background: #0b1f3a; color: #fff",
      "background: #000; color: white",
      "background: #000",
      "background: #8a1616; color: #ffe",
      "background: #777; color: #fff",
      "background: oklch(0.25 0.05 260); color: oklch(0.97 0 0)",
      "background: rgb(20 20 30 / 85%); color: #eee; backdrop-filter: blur(3px)",
      "background: white; color: #222",
      "background: #ffd54d",
      "background: rgb(0 0 0 / 5%)",
      "",
    ];
    for (const colorScheme of ["light", "dark"]) {
      const page = await host(
        `<main><h1>Host</h1>${headers
          .map((style, n) => `<div class="bar" id="h${n}" style="${style}"><tidings-bell></tidings-bell></div>`)
          .join("")}</main>`,
        { colorScheme },
      );
      await until("the badges", () => page.locator(".badge").count(), headers.length);
      const seen = await page.evaluate(() => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const flat = (...layers) => {
          pen.fillStyle = "#fff";
          pen.fillRect(0, 0, 1, 1);
          for (const layer of layers) {
            pen.fillStyle = layer;
            pen.fillRect(0, 0, 1, 1);
          }
          return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
        };
        const luminance = (colour) => {
          const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const contrast = (one, other) => {
          const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
          return (high + 0.05) / (low + 0.05);
        };
        return [...document.querySelectorAll(".bar")].map((header) => {
          const behind = getComputedStyle(header).backgroundColor;
          const root = header.querySelector("tidings-bell").shadowRoot;
          const [button, badge] = [root.querySelector(".bell"), root.querySelector(".badge")];
          const [bell, mark] = [getComputedStyle(button), getComputedStyle(badge)];
          const edge = mark.outlineStyle === "none" ? mark.backgroundColor : mark.outlineColor;
          return {
            bell: contrast(flat(behind, bell.color), flat(behind)),
            badge: contrast(flat(behind, edge), flat(behind)),
            number: contrast(flat(mark.color), flat(mark.backgroundColor)),
            inherited: bell.color === getComputedStyle(header).color,
          };
        });
      });
      for (const [n, { bell, badge, number }] of seen.entries()) {
        assert.ok(bell >= 3 && badge >= 3 && number >= 4.5, `${headers[n]}: ${JSON.stringify(seen[n])}`);
      }
      for (const n of [0, 1, 3, 5, 6, 7]) {
        assert.ok(seen[n].inherited, `${headers[n]}: the host's own colour`);
      }
      await look(page, `bells-${colorScheme}`);
      // A header can change its colour later.
      await page.locator("#h7").evaluate((header) => header.setAttribute("style", "background: #001"));
      await until(
        "the bell follows",
        () => page.locator("#h7 .bell").evaluate((bell) => getComputedStyle(bell).color),
        "rgb(255, 255, 255)",
      );
      noFaults(page);
    }
  });

  it("have a visible bell in forced colours", async () => {
    await here.api.publish(draft("an error", { severity: "error" }));
    const page = await host(`<main><h1>Host</h1>
      <div class="bar" style="background: #000; color: #fff"><tidings-bell></tidings-bell></div></main>`, {
      forcedColors: "active",
    });
    await page.locator(".badge").waitFor();
    await look(page, "bell-forced");
  });
});
