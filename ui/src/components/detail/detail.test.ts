// @vitest-environment happy-dom
import { render } from "lit";
import { describe, expect, it } from "vitest";

import type { Event } from "../../api/event.js";
import { webAddress } from "../address.js";
import { causeOf, documentationOf, repeatedKeys } from "../cause.js";
import { actionView, actionsOf } from "./actions.js";
import { asText } from "./as-text.js";
import { markdown } from "./markdown.js";
import { hasTree, tree } from "./tree.js";

function shown(template: unknown): HTMLElement {
  const place = document.createElement("div");
  render(template, place);
  return place;
}

const text = (template: unknown): string =>
  shown(template).textContent.replaceAll(/\s+/g, " ").trim();

const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[click](javascript:alert(1))",
  "[click](data:text/html,<script>alert(1)</script>)",
  "![picture](https://example.org/pixel.png)",
  "<a href='javascript:alert(1)'>a</a>",
  "[a](vbscript:x) [b](//example.org) [c](/here) <https://example.org/ok>",
  "`<b>` **<i>x</i>** | a | b |\n|---|---|\n| <u> | 2 |",
  `${">".repeat(3_000)} deep`,
  `${"[".repeat(3_000)}x`,
  "*a ".repeat(3_000),
  `${"- ".repeat(2_000)}x`,
];

describe("markdown", () => {
  it("preserves texts", () => {
    expect(text(markdown("a < b & c > d &amp; \"e\""))).toBe('a < b & c > d &amp; "e"');
    expect(text(markdown("run `kubectl get <name> & wait`"))).toBe("run kubectl get <name> & wait");
  });

  it("renders lists, emphasis, code and web links", () => {
    const page = shown(
      markdown("# Do\n\n1. **stop** it\n2. run:\n\n```sh\nls\n```\n\nSee [docs](https://example.org/a)."),
    );
    expect(page.querySelectorAll("ol > li")).toHaveLength(2);
    expect(page.querySelector("strong")?.textContent).toBe("Do");
    expect(page.querySelector("pre code")?.textContent).toBe("ls");
    const link = page.querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://example.org/a");
    expect(link?.getAttribute("rel")).toContain("noopener");
  });

  it("renders the boxes of task lists", () => {
    for (const gap of ["\n", "\n\n"]) {
      const page = shown(markdown(`- [x] done **now**${gap}- [ ] open${gap}- plain [x]`));
      expect([...page.querySelectorAll("li")].map((item) => item.textContent.trim())).toEqual([
        "☑ done now",
        "☐ open",
        "plain [x]",
      ]);
      expect(page.querySelectorAll("li.task")).toHaveLength(2);
    }
  });

  it.each(HOSTILE)("does no harm with %j", (hostile) => {
    const page = shown(markdown(hostile));
    expect(page.querySelectorAll("script, img, iframe, style, object, svg, form")).toHaveLength(0);
    for (const link of page.querySelectorAll("a")) {
      expect(link.getAttribute("href")).toMatch(/^https?:\/\//);
    }
    for (const element of page.querySelectorAll("*")) {
      for (const name of element.getAttributeNames()) {
        expect(["href", "rel", "target", "dir"]).toContain(name);
      }
    }
  });
});

describe("an event as a text", () => {
  const event = {
    id: "0193f0a0-0000-7000-8000-00000000aaaa",
    severity: "error",
    createdAt: "2026-08-01T10:00:30Z",
    description: "The image cannot be pulled",
  };

  it("has each part of the cause once", () => {
    const error = {
      Code: "deploy-1042",
      ShortDescription: ["The image cannot be pulled."],
      LongDescription: ["The registry answered 403"],
      ProbableCause: ["The secret has expired", "The tag is missing"],
      SuggestedRemediation: ["Renew the secret"],
    };
    expect(asText({ ...event, metadata: { error } } as unknown as Event).split("\n\n")).toEqual([
      "Error: The image cannot be pulled",
      "What happened:\n- The registry answered 403",
      "Probable cause:\n- The secret has expired\n- The tag is missing",
      "What to do next:\n- Renew the secret",
      "Error code: deploy-1042",
      expect.stringMatching(/^Created: .*2026.*\nID: 0193f0a0-0000-7000-8000-00000000aaaa$/),
    ]);
  });

  it("has no empty parts", () => {
    expect(asText({ ...event, metadata: null } as unknown as Event).split("\n\n")).toHaveLength(2);
  });
});

describe("webAddress", () => {
  it("accepts web addresses only", () => {
    expect(webAddress("https://example.org/a b")).toBe("https://example.org/a%20b");
    for (const other of [
      "javascript:alert(1)",
      " java\nscript:alert(1)",
      "file:///etc/passwd",
      "//example.org",
      "/x",
      "https://",
      "",
      5,
      null,
      {},
    ]) {
      expect(webAddress(other), JSON.stringify(other)).toBeUndefined();
    }
  });
});

describe("causeOf", () => {
  it("reads a cause in every form", () => {
    const full = {
      Code: 1042,
      ShortDescription: ["no image"],
      LongDescription: ["no image", "the registry said 403"],
      ProbableCause: "expired",
      suggested_remediation: ["renew it", 5, null, "", {}],
    };
    expect(causeOf({ error: full })).toEqual({
      code: "1042",
      happened: ["no image"],
      probable: ["expired"],
      remedies: ["renew it", "5"],
      more: ["the registry said 403"],
    });
    expect(causeOf({ err: "broken" })?.happened).toEqual(["broken"]);
    for (const none of [null, 5, "x", [], {}, { error: {} }, { error: null }, { error: "" }]) {
      expect(causeOf(none), JSON.stringify(none)).toBeUndefined();
    }
  });

  it("ignores inherited members", () => {
    expect(causeOf({ error: JSON.parse('{"__proto__":{"Code":"x"}}') as unknown })).toBeUndefined();
    expect(causeOf({ error: ["a"] })).toBeUndefined();
  });

  it("shows each text once, regardless of notation", () => {
    const text = "The disk is full";
    const error = {
      ShortDescription: [text],
      LongDescription: ["the *disk* is  full."],
      ProbableCause: ["THE DISK IS FULL", "a log grew"],
      SuggestedRemediation: ["delete logs", "Delete logs."],
    };
    expect(causeOf({ error }, `${text}!`)).toEqual({
      code: "",
      happened: [],
      probable: ["a log grew"],
      remedies: ["delete logs"],
      more: [],
    });
    expect(causeOf({ error }, "Backup failed")).toMatchObject({ happened: [text], more: [] });
    expect(causeOf({ error: text }, text)).toMatchObject({ happened: [] });
    expect(causeOf({ error: { ShortDescription: ["a", "b"] } }, "a\nb")).toMatchObject({ happened: [] });
    const long = { ShortDescription: [text], LongDescription: ["What the disk holds"] };
    expect(causeOf({ error: long }, text)).toMatchObject({ happened: ["What the disk holds"], more: [] });
  });

  it("recognizes metadata that repeats the cause", () => {
    const metadata = { summary: "Disk full.", namespace: "shop", list: ["disk", "full"], count: 5, empty: "" };
    expect(repeatedKeys(metadata, "disk full")).toEqual(["summary", "list"]);
    expect(repeatedKeys([1], "1")).toEqual([]);
  });

  it("finds the documentation link", () => {
    expect(documentationOf({ doc: "https://example.org/" })).toBe("https://example.org/");
    expect(documentationOf({ doc: "javascript:x", doclink: "http://example.org/" })).toBe(
      "http://example.org/",
    );
    expect(documentationOf({ doc: 5 })).toBeUndefined();
  });
});

const NONE: ReadonlySet<string> = new Set();

describe("tree", () => {
  it("shows every kind of value", () => {
    const page = text(
      tree({
        k8sContextName: "kind",
        flag: false,
        count: 0,
        nothing: null,
        empty: {},
        list: ["a", 2, true],
        nested: { deep: { deeper: [{ x: "y" }] } },
        kind: "hidden",
        error: "shown elsewhere",
      }, new Set(["error"])),
    );
    for (const part of ["Kubernetes context", "kind", "false", "0", "nothing", "a", "2", "true", "y"]) {
      expect(page).toContain(part);
    }
    expect(page).not.toContain("elsewhere");
  });

  it("bounds width and depth", () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`key${n}`, n]));
    expect(text(tree(wide, NONE))).toContain("4,800 more");
    let deep: unknown = "bottom";
    for (let level = 0; level < 100; level += 1) {
      deep = { level: deep };
    }
    expect(text(tree(deep, NONE))).toContain("bottom");
  });

  it("shows hostile names and texts as text", () => {
    const page = shown(
      tree({
        "<img src=x onerror=alert(1)>": "<script>alert(1)</script>",
        __proto__: { a: 1 },
        constructor: "x",
        toString: "y",
        link: "javascript:alert(1)",
        good: "https://example.org/?a=<b>",
      }, NONE),
    );
    expect(page.querySelectorAll("img, script")).toHaveLength(0);
    expect(page.querySelectorAll("a")).toHaveLength(1);
  });

  it("reports whether anything is left to show", () => {
    for (const nothing of [null, {}, { error: {} }, { id: "x", error: "y" }, 5, "x"]) {
      expect(hasTree(nothing, new Set(["error"])), JSON.stringify(nothing)).toBe(false);
    }
    expect(hasTree({ a: null }, NONE)).toBe(true);
    expect(hasTree([1], NONE)).toBe(true);
    // An unrecognized cause is shown as plain metadata.
    expect(text(tree({ error: { message: "disk full" } }, NONE))).toContain("disk full");
  });
});

describe("actions", () => {
  const offering = (actions: unknown) => ({ metadata: { actions } }) as unknown as Event;

  it("are shown if they have a label and lead somewhere", () => {
    const event = offering([
      { name: "retry", label: " Retry " },
      { label: "Runbook", url: "https://example.org/a" },
      { label: "Script", url: "javascript:alert(1)" },
      { name: "no label" },
      { label: "neither" },
      { label: { text: "no text" }, name: "x" },
      null,
      "text",
    ]);
    const runbook = { name: "", label: "Runbook", url: "https://example.org/a" };
    expect(actionsOf(event, {})).toEqual([runbook]);
    expect(actionsOf(event, { hostActions: true })).toEqual([{ name: "retry", label: "Retry" }, runbook]);
    const resolveLink = (key: string, value: string) => `https://host.example.org/${key}?to=${encodeURIComponent(value)}`;
    expect(actionsOf(event, { resolveLink }).map(({ url }) => url)).toEqual([
      "https://host.example.org/actions?to=https%3A%2F%2Fexample.org%2Fa",
      "https://host.example.org/actions?to=javascript%3Aalert(1)",
    ]);
  });

  it("are bounded, and nothing else than a list", () => {
    const many = Array.from({ length: 9 }, (_, n) => ({ name: `${n}`, label: "x".repeat(100) }));
    const shownActions = actionsOf(offering(many), { hostActions: true });
    expect(shownActions.map(({ label }) => label.length)).toEqual([60, 60, 60, 60, 60]);
    for (const other of [undefined, null, 7, "text", { name: "a", label: "b" }]) {
      expect(actionsOf(offering(other), { hostActions: true })).toEqual([]);
    }
  });

  it("ask the page before a link is followed", () => {
    for (const isFollowed of [true, false]) {
      const asked: unknown[] = [];
      const action = { name: "a", label: "Runbook", url: "https://example.org/a" };
      const link = shown(actionView(action, (chosen) => asked.push(chosen) > 0 && isFollowed)).querySelector("a");
      const click = new MouseEvent("click", { cancelable: true });
      expect([link?.href, link?.rel, link?.target]).toEqual([action.url, "noopener noreferrer", "_blank"]);
      // Nothing is loaded by a test.
      link?.removeAttribute("href");
      link?.dispatchEvent(click);
      expect([asked, click.defaultPrevented]).toEqual([[action], !isFollowed]);
    }
  });
});
