// @vitest-environment happy-dom
import { render } from "lit";
import { describe, expect, it } from "vitest";

import { isRich } from "./markdown.js";
import { tree } from "./tree.js";

const NONE: ReadonlySet<string> = new Set();

function shown(metadata: unknown, resolve?: Parameters<typeof tree>[2]): HTMLElement {
  const place = document.createElement("div");
  render(tree(metadata, NONE, resolve), place);
  return place;
}

const words = (element: Element): string => element.textContent.replaceAll(/\s+/g, " ").trim();

const rows = (table: Element | null): string[][] =>
  [...(table?.querySelectorAll("tr") ?? [])].map((row) => [...row.children].map(words));

const denied = {
  Code: "meshery-1042",
  ShortDescription: ["The pod is denied"],
  ProbableCause: ["A quota is used up"],
  SuggestedRemediation: ["Raise the quota"],
};

describe("a deployment's summary", () => {
  const result = (Kind: string, Success: boolean, Message: string, fields = {}) => ({ Kind, Model: "kubernetes", Success, Message, ...fields });
  const summary = {
    "web-server": [
      { Location: "kind-west", Summary: [result("Deployment", true, "Created"), result("Service", true, "Created")] },
      { Location: "kind-east", Summary: [result("Deployment", false, "Denied", { Error: denied })] },
    ],
    database: [{ Location: "kind-west", Summary: [result("StatefulSet", true, "Updated")] }],
  };

  it("is a table with the failures first and their causes", () => {
    const [head, first, ...others] = rows(shown({ summary }).querySelector("table"));
    expect(head).toEqual(["Component", "Kind", "Context", "Result", "Message"]);
    expect(first?.slice(0, 4)).toEqual(["web-server", "Deployment", "kind-east", "Failed"]);
    for (const text of ["Denied", "The pod is denied", "A quota is used up", "Raise the quota", "meshery-1042"]) {
      expect(first?.[4]).toContain(text);
    }
    expect(others).toEqual([
      ["web-server", "Deployment", "kind-west", "OK", "Created"],
      ["web-server", "Service", "kind-west", "OK", "Created"],
      ["database", "StatefulSet", "kind-west", "OK", "Updated"],
    ]);
  });

  it("of another form stays what it is", () => {
    for (const other of ["All went well", { web: "ok" }, { web: [{ Location: "x" }] }, [1, 2], null, { web: [null, 5] }]) {
      const page = shown({ summary: other });
      expect(page.querySelector("table")).toBeNull();
      expect(words(page)).toContain("Summary");
    }
    expect(words(shown({ summary: "All went well" }))).toContain("All went well");
  });
});

describe("a model import", () => {
  it("has its errors first and then counts", () => {
    const ModelDetails = {
      istio: { Components: [{ DisplayName: "Gateway" }, { DisplayName: "Sidecar" }], Relationships: [], Errors: [] },
      broken: { Components: [], Errors: [{ name: ["broken"], entityType: ["component"], error: denied }] },
    };
    const page = shown({ ModelImportMessage: "Imported 2 components", ModelDetails });
    const [errors, counts] = page.querySelectorAll("table");
    expect(rows(errors ?? null)[1]?.slice(0, 2)).toEqual(["broken", "component"]);
    expect(words(errors ?? page)).toContain("Raise the quota");
    expect(rows(counts ?? null)).toEqual([
      ["Model", "Components", "Relationships", "Errors"],
      ["istio", "2", "0", "0"],
      ["broken", "0", "0", "1"],
    ]);
    expect(words(page)).toContain("Imported 2 components");
  });
});

describe("a dry run", () => {
  it("has the field and the reason of each failure", () => {
    const causes = [{ Type: "FieldValueInvalid", FieldPath: "spec.replicas", Message: "must be positive" }];
    const dryRunResponse = {
      web: { west: { success: false, error: { Causes: causes } }, east: { success: true } },
      db: { west: { success: false, error: { Causes: [], Status: "namespace is missing" } } },
    };
    expect(rows(shown({ dryRunResponse }).querySelector("table"))).toEqual([
      ["Component", "Field", "Message"],
      ["web", "spec.replicas", "must be positive"],
      ["db", "", "namespace is missing"],
    ]);
  });
});

describe("a list of like objects", () => {
  const pods = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `pod-${n}`, node: n % 2 ? null : "a", ready: n > 0 }));

  it("is a table that is folded after ten rows", () => {
    const page = shown({ resources: pods(24) });
    expect(rows(page.querySelector("table")).slice(0, 3)).toEqual([
      ["name", "node", "ready"],
      ["pod-0", "a", "false"],
      ["pod-1", "nothing", "true"],
    ]);
    const more = page.querySelector("tbody[hidden]");
    expect(more?.children).toHaveLength(14);
    expect(words(page.querySelector("button") ?? page)).toBe("Show 14 more");
    page.querySelector("button")?.click();
    expect(more?.hasAttribute("hidden")).toBe(false);
    expect(shown({ resources: pods(10) }).querySelector("button")).toBeNull();
  });

  it("is bounded, and no table if its objects differ", () => {
    const page = shown({ resources: pods(5_000) });
    expect(page.querySelectorAll("tr")).toHaveLength(201);
    expect(words(page)).toContain("and 4,800 more");
    for (const other of [[{ a: 1 }], [{ a: 1 }, { b: { c: 1 } }], [{ a: 1, b: 1, c: 1 }, { d: 1 }], [{ a: 1 }, 5], [{}, {}]]) {
      expect(shown({ other }).querySelector("table"), JSON.stringify(other)).toBeNull();
    }
    // Names and values of a hostile publisher stay texts.
    const hostile = shown({ list: [{ "<b>": "<script>" }, { "<b>": "javascript:x" }] });
    expect(hostile.querySelectorAll("b, script, a")).toHaveLength(0);
    const inherited = shown({ list: [{ constructor: 1, a: 1 }, { a: 2 }] });
    expect(rows(inherited.querySelector("table"))[2]).toEqual(["nothing", "2"]);
  });
});

describe("metadata", () => {
  it("names the number of entries in words", () => {
    expect(words(shown({ replicas: { ready: 3, wanted: 6 } }).querySelector("summary") ?? document.body)).toBe("2 entries");
    expect(words(shown({ list: [{ a: { b: 1 } }] }).querySelector("summary") ?? document.body)).toBe("1 entry");
  });

  it("leads where the host says", () => {
    const seen: [string, string][] = [];
    const page = shown({ DownloadLink: "design.yaml", nested: { id: "7" }, other: "x" }, (key, value) => {
      seen.push([key, value]);
      return key === "DownloadLink" ? `https://host.example/file?name=${value}` : undefined;
    });
    const links = [...page.querySelectorAll("a")].map((link) => [words(link), link.getAttribute("href"), link.getAttribute("target")]);
    expect(links).toEqual([["design.yaml", "https://host.example/file?name=design.yaml", null]]);
    expect(seen).toEqual([["DownloadLink", "design.yaml"], ["id", "7"], ["other", "x"]]);
  });

  it.each([
    "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:5)\n\tat d.E.f(E.java:9)",
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n  File "b.py", line 2, in f\nError',
    "panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:5 +0x1d",
    "thread panicked\n   0: std::panicking::begin\n   1: app::main",
  ])("does not wrap the stack trace %j", (text) => {
    expect(shown({ whatever: text }).querySelector("pre.trace")?.textContent).toBe(text);
  });

  it("wraps other texts of several lines, and copies both", () => {
    const page = shown({ note: "one\ntwo at three" });
    expect(page.querySelector("pre")?.className).toBe("");
    expect(words(page.querySelector("button") ?? page)).toBe("Copy");
  });
});

describe("a description", () => {
  it("is Markdown if it is written as such or has a web address", () => {
    for (const text of ["see https://example.org", "**now**", "a [link](x)", "first:\n\n- one\n- two", "# Done", "1. first"]) {
      expect(isRich(text), text).toBe(true);
    }
    for (const text of ["The image `x` cannot be pulled", "a - b", "5 * 3", "#5 failed", "Disk is 91 % full", "line\n  line"]) {
      expect(isRich(text), text).toBe(false);
    }
  });
});
