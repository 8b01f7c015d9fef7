import { expect, it } from "vitest";

import { pathOfServer } from "./here.js";

it("derives the server from the script's address on the same origin", () => {
  const page = "https://example.org/app/?status=unread";
  for (const [script, path] of [
    ["https://example.org/assets/page-1a.js", "/"],
    ["https://example.org/tidings.js", "/"],
    ["https://example.org/tidings/assets/bell-1a.js", "/tidings/"],
    ["https://example.org/a/assets/assets/bell-1a.js?v=1", "/a/assets/"],
    ["https://example.org/a/b/tidings.js", "/a/b/"],
    // A server of another origin needs an explicit address; a bundled script reveals none.
    ["https://tidings.example.org/tidings/assets/bell-1a.js", "/"],
    ["https://example.org/static/bundle.js", "/"],
    ["file:///src/inbox/session.ts", "/"],
  ] as const) {
    expect(pathOfServer(script, page), script).toBe(path);
  }
});
