/** Tests third-party readers of Server-Sent Events, used as in their READMEs. */

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Api } from "../src/api.js";
import { drafts } from "../src/drafts.js";
import { CurlReader } from "../src/readers/curl.js";
import { ProgramReader } from "../src/readers/program.js";
import { Server } from "../src/server.js";

/** The Python environments that `cargo xtask test` creates, one per requirements file. */
const PYTHON = fileURLToPath(new URL("../../conformance-py", import.meta.url));

const python = (environment, example) => [
  path.join(PYTHON, ".venv", environment, "bin/python"),
  path.join(PYTHON, example),
];
const node = (example) => ["node", fileURLToPath(new URL(`../src/readers/${example}`, import.meta.url))];

/** Each reader, and whether its example reconnects by itself when the stream ends. */
const READERS = {
  "fetch-event-source": { command: node("fetch-event-source.js"), comesBack: true },
  eventsource: { command: node("eventsource.js"), comesBack: true },
  "httpx-sse": { command: python("readers", "httpx_sse_example.py"), comesBack: false },
  "sseclient-py": { command: python("readers", "sseclient_py_example.py"), comesBack: false },
  sseclient: { command: python("sseclient", "sseclient_example.py"), comesBack: true },
};

/** Metadata of this size makes a frame longer than the line limit of some readers, 64 KiB. */
const LONG = 65_000;

/** The number of these characters that also form the description. */
const SHOWN = 2_000;

/** Descriptions that have broken readers before. */
const TEXTS = [
  "Grüße, 你好, 🛰️",
  "\u2028line\u2029separators\u0085",
  "data: not a field\n\nid: 1\r\n",
  "\u{feff}",
];

describe("the README's example of each reader", () => {
  let server;
  let api;
  const readers = /** @type {Record<string, ProgramReader>} */ ({});
  let curl;
  const published = [];

  before(async () => {
    server = await Server.begin();
    api = new Api(server.origin);
    for (const [name, { command }] of Object.entries(READERS)) {
      readers[name] = new ProgramReader(name, [...command, api.streamUrl]);
    }
    curl = new CurlReader(api.streamUrl);
    await curl.next(({ name }) => name === "live");
  });

  after(async () => {
    await Promise.all(Object.values(readers).map((reader) => reader.dispose()));
    await curl?.dispose();
    await server?.dispose();
  });

  const publish = async (texts) => {
    for (const text of texts) {
      const [draft] = drafts(1);
      published.push(await api.publish({ ...draft, description: text.slice(0, SHOWN), metadata: { text } }));
    }
  };

  const events = (messages) =>
    messages.filter(({ name }) => ["", "message"].includes(name)).map(({ data }) => data);

  /** Waits until these readers have received every event and nothing but frames of the stream. */
  const haveAll = async (names) => {
    for (const name of names) {
      const reader = readers[name];
      await reader.until("every event", (messages) => events(messages).length >= published.length);
      assert.deepEqual(events(reader.messages), published, name);
      const others = reader.messages.map((message) => message.name || "message");
      const known = ["message", "ready", "live"];
      assert.deepEqual(others.filter((other) => !known.includes(other)), [], name);
      assert(reader.messages.every(({ cursor }) => /^\d+-\d+-\w{8}$/.test(cursor)), name);
    }
  };

  test("reads events of every text and length", async () => {
    for (const reader of Object.values(readers)) {
      await reader.until("live", (messages) => messages.some(({ name }) => name === "live"));
    }
    await publish([...TEXTS, "x".repeat(LONG), "é".repeat(LONG / 2)]);
    await haveAll(Object.keys(readers));
  });

  test("gets no message for a keepalive", async () => {
    await curl.comment("keepalive");
    await publish(["after the silence"]);
    await haveAll(Object.keys(readers));
  });

  test("gets no message for the end of a stream and misses nothing after a reconnect", async () => {
    // This reader parses HTTP chunk delimiters as text, and the last one as a blank line.
    await readers.sseclient.dispose();
    await server.terminate();
    for (const [name, { comesBack }] of Object.entries(READERS)) {
      if (!comesBack) {
        const { code, said } = await readers[name].ends();
        assert.equal(code, 0, `${name}: ${said}`);
      }
    }
    await server.start();
    await publish(["after the restart"]);
    await haveAll(["fetch-event-source", "eventsource"]);
  });
});
