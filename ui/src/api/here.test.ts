import { expect, it } from "vitest";

import { pathOfServer } from "./here.js";

it("finds the server by the script that runs, if it is of the page's own origin", () => {
  const page = "https://example.org/app/?status=unread";
  for (const [script, path] of [
    ["https://example.org/assets/page-1a.js", "/"],
    ["https://example.org/tidings.js", "/"],
    ["https://example.org/tidings/assets/bell-1a.js", "/tidings/"],
    ["https://example.org/a/assets/assets/bell-1a.js?v=1", "/a/assets/"],
    ["https://example.org/a/b/tidings.js", "/a/b/"],
    // Another origin's server needs its address; a bundle of the page's own says nothing.
    ["https://tidings.example.org/tidings/assets/bell-1a.js", "/"],
    ["https://example.org/static/bundle.js", "/"],
    ["file:///src/inbox/session.ts", "/"],
  ] as const) {
    expect(pathOfServer(script, page), script).toBe(path);
  }
});
