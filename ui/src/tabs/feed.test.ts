import { type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Backoff } from "../stream/backoff.js";
import type { StreamState } from "../stream/follow.js";
import type { Environment } from "./environment.js";
import { Feed } from "./feed.js";
import type { TabMessage } from "./message.js";

/** A model of Web Locks: exclusive, in order, and stolen on request. */
class Locks {
  readonly #held = new Map<string, (stolen: Error) => void>();
  readonly #queues = new Map<string, (() => void)[]>();

  async request(
    name: string,
    options: LockOptions,
    callback: (lock: Lock | null) => unknown,
  ): Promise<unknown> {
    if (options.steal) {
      this.#held.get(name)?.(new DOMException("stolen", "AbortError"));
      this.#held.delete(name);
    }
    while (this.#held.has(name)) {
      await new Promise<void>((resolve, reject) => {
        const queue = this.#queues.get(name) ?? [];
        this.#queues.set(name, [...queue, resolve]);
        options.signal?.addEventListener("abort", () => {
          reject(new DOMException("aborted", "AbortError"));
        });
      });
      options.signal?.throwIfAborted();
    }
    let steal: (stolen: Error) => void = () => undefined;
    const stolen = new Promise<never>((_, reject) => {
      steal = reject;
    });
    this.#held.set(name, steal);
    try {
      return await Promise.race([callback({ name, mode: "exclusive" }), stolen]);
    } finally {
      if (this.#held.get(name) === steal) {
        this.#held.delete(name);
        this.#queues.get(name)?.splice(0).forEach((next) => next());
      }
    }
  }
}

describe("Feed", () => {
  let server: Server;
  let origin: string;
  let streams: ServerResponse[];
  let asked: (string | undefined)[];
  let feeds: Feed[];

  beforeEach(async () => {
    streams = [];
    asked = [];
    feeds = [];
    server = createServer((request, response) => {
      asked.push(request.headers["last-event-id"] as string | undefined);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("retry: 100\n\n");
      streams.push(response);
      response.on("close", () => {
        streams = streams.filter((other) => other !== response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    for (const feed of feeds) {
      feed.stop();
    }
    server.closeAllConnections();
    server.close();
  });

  function environment(
    locks: Locks,
  ): Environment & { visible: boolean; frozen: boolean; heard: TabMessage["kind"][] } {
    const tab = {
      visible: true,
      frozen: false,
      heard: [] as TabMessage["kind"][],
      locks: locks as unknown as Pick<LockManager, "request">,
      isVisible: () => tab.visible,
      channel(name: string) {
        const channel = new BroadcastChannel(name);
        channel.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => {
          tab.heard.push(data.kind);
        });
        const post = channel.postMessage.bind(channel);
        // A frozen page does not run.
        channel.postMessage = (message: unknown) => {
          if (!tab.frozen) {
            post(message);
          }
        };
        return channel;
      },
    };
    return tab;
  }

  function open(environment: Environment, cursor: string) {
    const seen = { cursors: [] as string[], gaps: 0, states: [] as StreamState[] };
    const feed = new Feed(
      { server: origin },
      {
        frame: (frame) => seen.cursors.push(`${frame.kind} ${frame.cursor}`),
        state: (state) => seen.states.push(state),
        gap: () => {
          seen.gaps += 1;
        },
      },
      { environment, backoff: new Backoff(() => 0) },
    );
    feeds.push(feed);
    feed.start(cursor);
    return { feed, seen };
  }

  const say = (cursor: string): void => {
    for (const stream of streams) {
      stream.write(`id: ${cursor}\ndata: {"id":"${cursor}","status":"unread","severity":"error"}\n\n`);
    }
  };

  const live = (cursor: string): void => {
    for (const stream of streams) {
      const data = `{"cursor":"${cursor}","summary":{"unread":{"error":7},"read":{}}}`;
      stream.write(`id: ${cursor}\nevent: live\ndata: ${data}\n\n`);
    }
  };

  it("uses one connection for all tabs, and each tab sees each frame once", async () => {
    const locks = new Locks();
    const one = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    live("0-0-t");
    await vi.waitFor(() => expect(one.seen.states).toContain("live"));
    const two = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(two.seen.states).toContain("live"));
    say("1-0-t");
    say("2-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 2-0-t"));
    expect(one.seen.cursors).toEqual(["live 0-0-t", "event 1-0-t", "event 2-0-t"]);
    // The other tab's counts replace those of the stream.
    expect(two.seen.cursors).toEqual(["live 0-0-t", "event 1-0-t", "event 2-0-t"]);
    expect(asked).toHaveLength(1);
    expect([one.seen.gaps, two.seen.gaps]).toEqual([0, 0]);
  });

  it("passes updates on to all tabs, also to one that starts later", async () => {
    const locks = new Locks();
    const one = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    live("0-0-t");
    const two = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(two.seen.states).toContain("live"));
    const event = {
      id: "a",
      operationId: "a",
      severity: "error",
      status: "unread",
      category: "backup",
      action: "write",
      description: "",
      createdAt: "2026-08-01T10:00:00Z",
      updatedAt: "2026-08-01T10:00:00Z",
    };
    streams[0]?.write(`id: 1-0-t\nevent: updated\ndata: ${JSON.stringify({ event, unread: {} })}\n\n`);
    streams[0]?.write(`id: 2-0-t\nevent: updated\ndata: {"event":{"id":"a"}}\n\n`);
    say("3-0-t");
    const three = open(environment(locks), "0-0-t");
    for (const { seen } of [one, two, three]) {
      await vi.waitFor(() => expect(seen.cursors).toContain("event 3-0-t"));
      const steps = seen.cursors.filter((step) => !step.startsWith("live"));
      expect(steps).toEqual(["updated 1-0-t", "unknown 2-0-t", "event 3-0-t"]);
      expect(seen.gaps).toBe(0);
    }
  });

  it("catches up a tab that starts slightly behind", async () => {
    const locks = new Locks();
    const one = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    live("0-0-t");
    say("1-0-t");
    say("2-0-t");
    await vi.waitFor(() => expect(one.seen.cursors).toHaveLength(3));
    const two = open(environment(locks), "1-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 2-0-t"));
    expect(two.seen.cursors).not.toContain("event 1-0-t");
    const three = open(environment(locks), "unknown-0-t");
    await vi.waitFor(() => expect(three.seen.gaps).toBe(1), { timeout: 5_000 });
  });

  it("waits for the connection if a tab is ahead of it", async () => {
    const locks = new Locks();
    const leader = environment(locks);
    open(leader, "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    live("0-0-t");
    const two = open(environment(locks), "1-0-t");
    await vi.waitFor(() => expect(leader.heard).toContain("hello"));
    say("1-0-t");
    await vi.waitFor(() => expect(two.seen.states).toContain("live"));
    say("2-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 2-0-t"));
    expect(two.seen.gaps).toBe(0);
    expect(two.seen.cursors).not.toContain("event 1-0-t");
  });

  it("continues in another tab when the leader is closed", async () => {
    const locks = new Locks();
    const one = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    live("0-0-t");
    const two = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(two.seen.states).toContain("live"));
    say("1-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 1-0-t"));
    one.feed.stop();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(asked[1]).toBe("1-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    say("2-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 2-0-t"));
  });

  it("takes over from a frozen tab, which follows after it wakes up", async () => {
    const locks = new Locks();
    const frozen = environment(locks);
    const one = open(frozen, "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    live("0-0-t");
    const hidden = environment(locks);
    hidden.visible = false;
    open(hidden, "0-0-t");
    const two = open(environment(locks), "0-0-t");
    await vi.waitFor(() => expect(two.seen.states).toContain("live"));
    frozen.frozen = true;
    await vi.waitFor(() => expect(asked).toHaveLength(2), { timeout: 10_000 });
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    frozen.frozen = false;
    live("0-0-t");
    say("1-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 1-0-t"));
    // The frozen tab has lost the connection and follows the new leader.
    await vi.waitFor(
      () => {
        const isToldOf = one.seen.cursors.includes("event 1-0-t") || one.seen.gaps > 0;
        expect(isToldOf).toBe(true);
      },
      { timeout: 5_000 },
    );
    expect(asked).toHaveLength(2);
  }, 20_000);

  it("separates users by the tag of their cursors", async () => {
    const locks = new Locks();
    open(environment(locks), "0-0-alice");
    open(environment(locks), "0-0-bob");
    await vi.waitFor(() => expect(streams).toHaveLength(2));
  });

  it("opens its own connection if tabs cannot communicate", async () => {
    const alone = { ...environment(new Locks()), locks: undefined };
    const one = open(alone, "0-0-t");
    const two = open(alone, "0-0-t");
    await vi.waitFor(() => expect(streams).toHaveLength(2));
    say("1-0-t");
    await vi.waitFor(() => expect(two.seen.cursors).toContain("event 1-0-t"));
    expect(one.seen.cursors).toContain("event 1-0-t");
  });
});
