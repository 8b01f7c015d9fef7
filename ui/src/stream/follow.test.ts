import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { Backoff } from "./backoff.js";
import { type StreamState, follow } from "./follow.js";

const AT_ONCE = new Backoff(() => 0);

const frame = (cursor: string) => `id: ${cursor}\ndata: {"id":"${cursor}"}\n\n`;
const live = (cursor: string) =>
  `id: ${cursor}\nevent: live\ndata: {"cursor":"${cursor}","summary":{"unread":{},"read":{}}}\n\n`;

/** Answers the n-th request with the n-th of these; with `hold`, the stream stays open. */
interface StubResponse {
  status?: number;
  body: string;
  hold?: boolean;
  type?: string;
}

describe("follow", () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function run(
    responses: StubResponse[],
    until: (seen: { cursors: string[]; states: StreamState[] }) => boolean,
    options: { silence?: number; tokens?: string[] | null } = {},
  ) {
    const asked: { cursor: string | undefined; token: string | undefined }[] = [];
    server = createServer((request, response) => {
      const stub = responses[Math.min(asked.length, responses.length - 1)];
      asked.push({
        cursor: request.headers["last-event-id"] as string | undefined,
        token: request.headers.authorization,
      });
      if (!stub) {
        return;
      }
      const type = stub.type ?? "text/event-stream";
      response.writeHead(stub.status ?? 200, { "content-type": type });
      response.write(stub.body);
      if (!stub.hold) {
        response.end();
      }
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const seen = { cursors: [] as string[], states: [] as StreamState[] };
    const stop = new AbortController();
    const check = (): void => {
      if (until(seen)) {
        stop.abort();
      }
    };
    let tokens = 0;
    const getToken = (): string => {
      tokens += 1;
      return options.tokens?.[tokens - 1] ?? `token-${tokens}`;
    };
    await follow(
      {
        server: `http://127.0.0.1:${port}`,
        getToken: options.tokens === null ? undefined : getToken,
      },
      "0-0-tag",
      {
        frame(frame) {
          seen.cursors.push(frame.cursor);
          check();
        },
        state(state) {
          seen.states.push(state);
          check();
        },
      },
      stop.signal,
      { backoff: AT_ONCE, ...(options.silence ? { silence: options.silence } : {}) },
    );
    return { asked, ...seen };
  }

  it("resumes after the last frame when the connection is lost", async () => {
    const responses = [
      { body: `${frame("1-0-tag")}${live("1-0-tag")}${frame("2-0-tag")}id: 3-0-tag\ndata: {"cut` },
      { body: frame("3-0-tag"), hold: true },
    ];
    const { asked, cursors, states } = await run(responses, ({ cursors }) =>
      cursors.includes("3-0-tag"),
    );
    expect(asked.map(({ cursor }) => cursor)).toEqual(["0-0-tag", "2-0-tag"]);
    expect(cursors).toEqual(["1-0-tag", "1-0-tag", "2-0-tag", "3-0-tag"]);
    expect(states).toEqual(["connecting", "live", "waiting", "connecting"]);
  });

  it("treats a silent connection as dead", async () => {
    const responses = [
      { body: frame("1-0-tag"), hold: true },
      { body: frame("2-0-tag"), hold: true },
    ];
    const { asked } = await run(responses, ({ cursors }) => cursors.includes("2-0-tag"), {
      silence: 500,
    });
    expect(asked[1]?.cursor).toBe("1-0-tag");
  });

  it("reconnects immediately with a new token when the old one expires", async () => {
    const expiring = 'id: 1-0-tag\nevent: expiring\ndata: {"at":"2026-08-01T11:00:30Z"}\n\n';
    const responses = [{ body: frame("1-0-tag") + expiring }, { body: frame("2-0-tag"), hold: true }];
    const { asked, states } = await run(responses, ({ cursors }) => cursors.includes("2-0-tag"));
    expect(asked.map(({ token }) => token)).toEqual(["Bearer token-1", "Bearer token-2"]);
    expect(states).not.toContain("waiting");
  });

  it("retries after a transient failure", async () => {
    const responses = [
      { status: 503, body: '{"error":"no","code":"overloaded"}', type: "application/json" },
      { status: 429, body: "", type: "text/plain" },
      { body: frame("1-0-tag"), hold: true },
    ];
    const { asked } = await run(responses, ({ cursors }) => cursors.length > 0);
    expect(asked).toHaveLength(3);
  });

  it("waits for another token after a 401", async () => {
    const responses = [{ status: 401, body: "" }, { body: frame("1-0-tag"), hold: true }];
    const { asked } = await run(responses, ({ cursors }) => cursors.length > 0, {
      tokens: ["old", "old", "new", "new"],
    });
    expect(asked.map(({ token }) => token)).toEqual(["Bearer old", "Bearer new"]);
  });

  it("gives up after a permanent failure and reports it", async () => {
    for (const [status, state] of [
      [401, "signed-out"],
      [403, "refused"],
      [404, "refused"],
    ] as const) {
      const { asked, states } = await run([{ status, body: "" }], () => false, { tokens: null });
      expect(asked).toHaveLength(1);
      expect(states.at(-1)).toBe(state);
    }
    const { states } = await run([{ body: "<html>", type: "text/html" }], () => false);
    expect(states.at(-1)).toBe("refused");
  });
});

describe("Backoff", () => {
  it("grows with each failure and resets after a success", () => {
    const backoff = new Backoff(() => 1);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([1_000, 2_000, 4_000]);
    for (let failures = 0; failures < 20; failures += 1) {
      backoff.next();
    }
    expect(backoff.next()).toBe(30_000);
    backoff.succeeded();
    expect(backoff.next()).toBe(1_000);
  });

  it("accepts the server's `retry:` within limits", () => {
    const backoff = new Backoff(() => 1);
    backoff.name(2_731);
    expect(backoff.next()).toBe(2_731);
    backoff.name(1);
    backoff.succeeded();
    expect(backoff.next()).toBe(100);
    backoff.name(1e9);
    backoff.succeeded();
    expect(backoff.next()).toBe(300_000);
  });
});
