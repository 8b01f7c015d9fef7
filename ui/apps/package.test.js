import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { Login } from "../../conformance-js/src/login.js";
import { draft, noFaults, place, until } from "../e2e/support.js";
import { App, Tarball } from "./app.js";
import { FAILURE, openApp, useApp } from "./page.js";

const OWNER = "7b1d2c3e-0000-4000-8000-00000000000a";

/** The most compressed bytes of the bell and the inbox with everything that they import at once. */
const MOST_BYTES = 45 * 1024;

describe("the npm package", () => {
  const apps = {};
  let tarball;
  let login;
  let token;
  let backend;
  const here = place(async () => {
    login = await Login.begin();
    token = await login.token(OWNER);
    backend = await login.token(OWNER, "events:publish");
    tarball = await Tarball.pack();
    const origins = [];
    for (const name of ["plain", "react", "vue"]) {
      apps[name] = await App.install(name, tarball);
      origins.push(await apps[name].serve(name === "plain" ? "." : "dist", { token: () => token }));
    }
    return [...login.flags, ...origins.flatMap((origin) => ["--allow-origin", origin])];
  });
  before(() => {
    for (const app of Object.values(apps)) {
      app.tidings = here.server.origin;
    }
  });
  after(async () => {
    await Promise.all(Object.values(apps).map((app) => app.dispose()));
    await tarball?.dispose();
    await login?.dispose();
  });
  afterEach(() => here.cleanUp());

  const ask = async (method, query, bearer, body) => {
    const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
    const answer = await fetch(`${here.server.origin}/api/system/events${query}`, { method, headers, body });
    assert.ok(answer.ok, `${method} ${query}: ${answer.status}`);
    return answer.json();
  };
  const publish = (...drafts) =>
    ask("POST", "", backend, JSON.stringify(drafts.map((each) => ({ ...each, owner: OWNER }))));
  const summary = async () => {
    const { unread } = await ask("GET", "/summary", token);
    return Object.values(unread).reduce((sum, count) => sum + count, 0);
  };

  /** Leaves three events, one of which failed. */
  async function begin() {
    await ask("DELETE", "/bulk", token, JSON.stringify({ all: true }));
    await publish(draft("Imported 2 models"), draft("Certificate expires", { severity: "warning" }), FAILURE);
  }

  it("has the version of the workspace, a license and a readme, and no addresses of a registry", async () => {
    const manifest = JSON.parse(await readFile(path.join(import.meta.dirname, "../package/package.json"), "utf8"));
    const workspace = await readFile(path.join(import.meta.dirname, "../../Cargo.toml"), "utf8");
    assert.equal(manifest.version, /\[workspace\.package\][^[]*?^version = "(.*)"$/m.exec(workspace)?.[1]);
    for (const file of ["LICENSE", "README.md", "THIRD-PARTY.txt", "custom-elements.json", "standalone/tidings.js"]) {
      assert.ok(tarball.list.includes(file), file);
    }
    assert.ok(!tarball.list.some((file) => /\.test\.|src\/|prepare/.test(file)), "sources stay in the repository");
    for (const { name, text } of await apps.plain.files()) {
      assert.ok(!/registry\.|sourceMappingURL/.test(text), name);
    }
  });

  it("exports files that it has, and names those with side effects", async () => {
    const manifest = JSON.parse((await apps.plain.files()).find(({ name }) => name === "package.json").text);
    const named = Object.values(manifest.exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
    const exact = named.filter((file) => !file.includes("*"));
    assert.ok(exact.length > 10);
    for (const file of exact) {
      assert.ok(tarball.list.includes(file.replace("./", "")), file);
    }
    const defines = (await apps.plain.files("dist")).filter(({ text }) => text.includes("customElement(\""));
    assert.ok(defines.length >= 3);
    const pure = ["client.js", "react.js", "vue.js", "server.js", "strings/de.js"];
    assert.deepEqual(defines.filter(({ name }) => pure.includes(name)), [], "only elements are defined");
  });

  it("describes every attribute, property and event that the elements document", async () => {
    const manifest = JSON.parse((await apps.plain.files()).find(({ name }) => name === "custom-elements.json").text);
    const [{ declarations }] = manifest.modules;
    assert.deepEqual(declarations.map(({ tagName }) => tagName), ["tidings-bell", "tidings-inbox"]);
    for (const { tagName, members, events, attributes } of declarations) {
      for (const name of ["server", "getToken", "theme", "strings", "locale", "eventLink", "resolveLink"]) {
        assert.ok(members.some((member) => member.name === name), `${tagName} ${name}`);
      }
      assert.ok(attributes.length >= 4 && events.every(({ name, description }) => /^tidings-/.test(name) && description));
      assert.ok(members.every(({ name }) => !/^#|^render$|Callback$/.test(name)), "private members are left out");
    }
  });

  it("imports in Node without a page", async () => {
    const look = `
      const names = ["window", "document", "HTMLElement", "matchMedia", "localStorage", "location", "addEventListener"];
      if (STRICT) {
        for (const name of names) {
          Object.defineProperty(globalThis, name, { get() { throw new Error("touched " + name) } });
        }
      }
      console.log(Object.keys(await import("@tidings/inbox" + ENTRY)).length, names.filter((name) => !STRICT && name in globalThis));`;
    for (const [name, entry, count, isStrict] of [
      ["plain", "/client", 9, true],
      ["plain", "/strings/de", 1, true],
      ["react", "/react", 4, true],
      // Vue and Lit look for a window or a document, and continue without one.
      ["vue", "/vue", 4, false],
      ["plain", "", 3, false],
    ]) {
      const script = look.replaceAll("STRICT", isStrict).replace("ENTRY", JSON.stringify(entry));
      const printed = await apps[name].run("node", "--input-type=module", "--eval", script);
      assert.equal(printed.trim(), `${count} []`, `${name} ${entry}`);
    }
    const onEdge = `const { TidingsBell } = await import("@tidings/inbox"); console.log(typeof TidingsBell, typeof customElements)`;
    const printed = await apps.plain.run("node", "--conditions=edge-light", "--input-type=module", "--eval", onEdge);
    assert.equal(printed.trim(), "function undefined");
  });

  it("follows an inbox in Node, with the model alone", async () => {
    await begin();
    const script = `
      import { Inbox, sessionOf, totalOf } from "@tidings/inbox/client";
      const session = sessionOf(${JSON.stringify(here.server.origin)}, async () => ${JSON.stringify(token)});
      const told = new Set();
      const tell = (line) => told.has(line) || (told.add(line), console.log(line));
      const inbox = new Inbox(session, () => {
        if (session.state === "live" && session.counts) {
          tell(inbox.lines.map(({ event }) => event.description).join(", ") + ": " + totalOf(session.counts.unread));
          const [line] = inbox.lines;
          if (inbox.lines.length === 2 && line.unread > 0) void inbox.mark(line, "read");
          if (inbox.lines.length === 2 && line.unread === 0) inbox.close();
        }
      });
      inbox.open({ severity: ["error"] });`;
    const admin = await login.token(OWNER, "events:admin");
    const running = apps.plain.run("node", "--input-type=module", "--eval", script);
    await until("a stream", () => here.streams(admin), 1);
    await publish(draft("Another failure", { severity: "error" }));
    assert.deepEqual((await running).trim().split("\n"), [
      "Rollout of shop failed: 3",
      "Another failure, Rollout of shop failed: 4",
      "Another failure, Rollout of shop failed: 3",
    ]);
  });

  it("is small: the bell and the inbox, with the details and dialogs loaded later", async (test) => {
    const output = await apps.react.bundle("entry.js", 'import "@tidings/inbox";');
    const chunks = new Map(output.map((chunk) => [chunk.fileName, chunk]));
    const atOnce = new Set();
    const take = (name) => {
      if (!atOnce.has(name)) {
        atOnce.add(name);
        chunks.get(name).imports.forEach(take);
      }
    };
    output.filter(({ isEntry }) => isEntry).forEach(({ fileName }) => take(fileName));
    const bytes = (names) => names.reduce((sum, name) => sum + gzipSync(chunks.get(name).code, { level: 9 }).length, 0);
    const later = [...chunks.keys()].filter((name) => !atOnce.has(name));
    test.diagnostic(`bell and inbox: ${bytes([...atOnce])} bytes with gzip, at most ${MOST_BYTES}; later: ${bytes(later)} bytes`);
    assert.ok(bytes([...atOnce]) <= MOST_BYTES, `${bytes([...atOnce])} bytes`);
    for (const [name, least] of [["detail", 10_000], ["dialogs", 800]]) {
      // If it is loaded at once, nothing but its name is left in a file of its own.
      const found = later.filter((file) => path.basename(file).startsWith(name));
      assert.ok(bytes(found) >= least, `${name}: ${bytes(found)} bytes in ${found}`);
    }
  });

  it("has a readme whose programs build", async () => {
    const readme = (await apps.plain.files()).find(({ name }) => name === "README.md").text;
    const programs = [...readme.matchAll(/^```(jsx|js|vue)\n([^]*?)^```$/gm)];
    assert.ok(programs.length >= 5);
    for (const [index, [, kind, program]] of programs.entries()) {
      // A name that a module does not export is an error.
      const output = await (kind === "vue" ? apps.vue : apps.react).bundle(`readme-${index}.${kind}`, program);
      assert.ok(output.length > 0, program);
    }
  });

  it("works in a plain page", async () => {
    await begin();
    const page = await openApp(here, apps.plain.origin);
    await useApp(page, { publish, summary, name: "plain", hasHooks: false });
  });

  it("has types that a strict React app accepts", async () => {
    await apps.react.run("npm", "run", "--silent", "check");
  });

  for (const name of ["react", "vue"]) {
    it(`works in ${name} with Vite`, async () => {
      await begin();
      await apps[name].run("npm", "run", "--silent", "build");
      const page = await openApp(here, apps[name].origin);
      await useApp(page, { publish, summary, name });
    });

    it(`is rendered by a server and hydrated in ${name}`, async () => {
      await begin();
      const app = apps[name];
      await app.run("npm", "run", "--silent", "build:server");
      const script = `
        const { render } = await import("./server/server.js");
        console.log(await render(${JSON.stringify(here.server.origin)}), typeof HTMLElement, typeof window);`;
      const [, html] = /^(.*) undefined undefined$/.exec((await app.run("node", "--input-type=module", "--eval", script)).trim());
      assert.match(html, /<tidings-bell class="bell"><\/tidings-bell>/);
      assert.match(html, /<strong[^>]*>Posteingang<\/strong>/);
      assert.ok(!html.includes("getToken") && !html.includes("[object"), html);
      app.rendered = html;
      const page = await openApp(here, app.origin);
      noFaults(page);
      await useApp(page, { publish, summary, name: `${name}-hydrated` });
      app.rendered = "";
    });
  }
});
