import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Event, EventKey } from "../api/event.js";
import { type EventFilter, filterOf, matches } from "../api/filter.js";
import type { Event as StoredEvent, Severity } from "../api/schema.js";
import { Inbox } from "./inbox.js";
import { Session } from "./session.js";

const SYSTEM = "0193f0a0-0000-7000-8000-00000000000b";
const USER = "0193f0a0-0000-7000-8000-00000000000a";

const at = (second: number): string => `2026-08-01T10:00:${String(second).padStart(2, "0")}Z`;

function event(id: string, second: number, fields: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id,
    owner: USER,
    systemId: SYSTEM,
    operationId: id,
    category: "deployment",
    action: "apply",
    severity: "informational",
    status: "unread",
    description: id,
    createdAt: at(second),
    updatedAt: at(second),
    ...fields,
  } as StoredEvent;
}

/** A server with these events, newest first, whose stream the test writes. */
class StubServer {
  events: StoredEvent[];
  hasMore = false;
  /** The filters of the list requests. */
  readonly asked: EventFilter[] = [];
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #number = 0;

  constructor(events: StoredEvent[]) {
    this.events = events;
  }

  get cursor(): string {
    return `${this.#number}-0-t`;
  }

  readonly fetch = (address: string): Promise<Response> => {
    const { pathname, searchParams } = new URL(address);
    if (pathname.endsWith("/subscribe")) {
      const body = new ReadableStream<Uint8Array>({ start: (stream) => void (this.#stream = stream) });
      return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
    }
    const filter = filterOf(searchParams);
    this.asked.push(filter);
    const told = (each: StoredEvent): Event => ({ ...each, ownerKind: each.owner === SYSTEM ? "system" : "user" });
    const events = this.events.filter((each) => matches(filter, told(each)));
    const page = { events, totalCount: events.length, cursor: this.cursor, systemId: SYSTEM };
    return Promise.resolve(new Response(JSON.stringify(this.hasMore ? { ...page, next: "more" } : page)));
  };

  /** Waits for the stream and ends its replay. */
  async live(unread: object, read: object = {}): Promise<void> {
    await vi.waitFor(() => expect(this.#stream).toBeDefined());
    await this.say("live", { cursor: this.cursor, summary: { unread, read } });
  }

  /** Writes a frame and waits until the page has read it. */
  async say(name: string, data: object): Promise<void> {
    this.#number += 1;
    const frame = `id: ${this.cursor}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#stream?.enqueue(new TextEncoder().encode(frame));
    await vi.waitFor(() => expect(this.seen()).toBe(this.cursor));
  }

  /** The page's cursor. */
  seen: () => string | undefined = () => undefined;
}

describe("an update of an event", () => {
  let server: StubServer;
  let inbox: Inbox;
  let isWatched: boolean;

  beforeEach(() => {
    isWatched = false;
  });
  afterEach(() => {
    inbox.close();
    vi.unstubAllGlobals();
  });

  async function open(
    events: StoredEvent[],
    options: { filter?: EventFilter; unread?: object; read?: object; hasMore?: boolean } = {},
  ): Promise<void> {
    server = new StubServer(events);
    server.hasMore = options.hasMore ?? false;
    vi.stubGlobal("fetch", server.fetch);
    const environment = { locks: undefined, channel: () => null as never, isVisible: () => true };
    const session = new Session({ server: "http://127.0.0.1" }, { environment });
    server.seen = () => session.cursor;
    inbox = new Inbox(session, () => undefined);
    inbox.isWatched = () => isWatched;
    inbox.open(options.filter ?? {});
    await server.live(options.unread ?? { informational: events.length }, options.read);
    await vi.waitFor(() => expect(inbox.loading).toBe("idle"));
    server.asked.length = 0;
  }

  /** Changes an event on the server, and tells the page. */
  async function update(id: string, fields: Partial<StoredEvent>, counts: object = { unread: {}, read: {} }) {
    const known = server.events.find((each) => each.id === id);
    const changed = { ...(known ?? event(id, 0)), ...fields };
    server.events = server.events.map((each) => (each === known ? changed : each));
    await server.say("updated", { event: changed, ...counts });
  }

  const lines = (): string[] => inbox.lines.map(({ event }) => `${event.id} ${event.severity}`);
  const shown = (id: string): Event | undefined => inbox.lines.find((line) => line.event.id === id)?.event;
  const read = (id: string) =>
    server.say("status", { ids: [id], status: "read", updatedAt: at(40), unread: { informational: -1 }, read: { informational: 1 } });

  it("replaces the reader's own event in its place, with exact counts at every step", async () => {
    await open([event("b", 20), event("a", 10)]);
    for (const progress of [10, 60]) {
      await update("a", { metadata: { progress }, updatedAt: at(30) });
      expect(shown("a")).toMatchObject({ metadata: { progress }, updatedAt: at(30), status: "unread" });
      expect(lines()).toEqual(["b informational", "a informational"]);
      expect(inbox.session.counts).toEqual({ unread: { informational: 2 }, read: {} });
    }
    await read("a");
    expect(inbox.session.counts).toEqual({ unread: { informational: 1 }, read: { informational: 1 } });
    await update("a", { status: "read", metadata: { progress: 90 } });
    expect(shown("a")).toMatchObject({ status: "read", metadata: { progress: 90 } });
    await update(
      "a",
      { severity: "success", status: "unread", metadata: undefined as never },
      { unread: { success: 1 }, read: { informational: -1 } },
    );
    expect(lines()).toEqual(["b informational", "a success"]);
    expect(shown("a")).toMatchObject({ status: "unread" });
    expect(shown("a")).not.toHaveProperty("metadata.progress");
    expect(inbox.session.counts).toEqual({ unread: { informational: 1, success: 1 }, read: {} });
    expect([inbox.total, server.asked]).toEqual([2, []]);
  });

  it("keeps the reader's own status of a system event, and the later time", async () => {
    await open([event("s", 10, { owner: SYSTEM })]);
    await read("s");
    expect(shown("s")).toMatchObject({ status: "read", updatedAt: at(40) });
    await update("s", { status: "unread", description: "new", updatedAt: at(30) });
    expect(shown("s")).toMatchObject({ status: "read", description: "new", updatedAt: at(40) });
    await update("s", { status: "unread", updatedAt: at(50) });
    expect(shown("s")).toMatchObject({ status: "read", updatedAt: at(50) });
    await server.say("status", { ids: ["s"], systemIds: ["s"], status: "unread", updatedAt: at(45) });
    expect(shown("s")).toMatchObject({ status: "unread", updatedAt: at(50) });
  });

  it("is applied without counts while the stream replays", async () => {
    await open([event("a", 10)]);
    await server.say("ready", { cursor: server.cursor });
    await update("a", { severity: "error" }, {});
    expect(lines()).toEqual(["a error"]);
    expect(inbox.session.counts).toEqual({ unread: { informational: 1 }, read: {} });
    await server.live({ error: 1 });
    expect(inbox.session.counts).toEqual({ unread: { error: 1 }, read: {} });
  });

  it("never adds an event that the list does not have", async () => {
    await open([event("b", 20)]);
    await server.say("deleted", { ids: ["b"], unread: { informational: -1 } });
    await update("b", { description: "later" });
    await update("unknown", {}, { unread: { error: 1 }, read: { error: -1 } });
    expect([lines(), server.asked]).toEqual([[], []]);
    expect(inbox.session.counts).toEqual({ unread: { error: 1 }, read: {} });
  });

  it("does not move or deselect a row", async () => {
    await open([event("c", 30), event("b", 20), event("a", 10)]);
    const line = inbox.lines[1];
    expect(line?.event.id).toBe("b");
    if (line) {
      inbox.choose(line, false);
    }
    await update("b", { severity: "error", updatedAt: at(50) });
    expect(lines()).toEqual(["c informational", "b error", "a informational"]);
    expect(inbox.choice.keys).toEqual(["user:b"] satisfies EventKey[]);
    expect([inbox.held, inbox.isNew(shown("b") as Event)]).toEqual([0, false]);
  });

  describe("under a filter", () => {
    const errors = { severity: ["error"] as Severity[], category: ["deployment"] };
    const failed = (id: string, second: number) => event(id, second, { severity: "error" });
    const fall = { unread: { error: -1, success: 1 }, read: {} };

    it("removes an event that no longer matches", async () => {
      await open([failed("b", 20), failed("a", 10)], { filter: errors, unread: { error: 2 } });
      expect(inbox.total).toBe(2);
      await update("b", { severity: "success" }, fall);
      expect([lines(), inbox.total, server.asked]).toEqual([["a error"], 1, []]);
    });

    it("keeps it while the reader looks at the list", async () => {
      await open([failed("b", 20), failed("a", 10)], { filter: errors, unread: { error: 2 } });
      isWatched = true;
      await update("b", { severity: "success" }, fall);
      await update("a", { severity: "success" }, fall);
      await update("a", { severity: "error" }, { unread: { error: 1, success: -1 }, read: {} });
      expect([lines(), inbox.total]).toEqual([["b success", "a error"], 1]);
      isWatched = false;
      inbox.lookedAway();
      expect([lines(), inbox.total]).toEqual([["a error"], 1]);
    });

    it("asks the server for one that matches now, and not while the reader looks at the list", async () => {
      await open([event("c", 30), failed("b", 20), event("a", 10)], { filter: errors });
      expect(lines()).toEqual(["b error"]);
      isWatched = true;
      await update("a", { severity: "error" });
      expect([lines(), server.asked]).toEqual([["b error"], []]);
      isWatched = false;
      inbox.lookedAway();
      await vi.waitFor(() => expect(lines()).toEqual(["b error", "a error"]));
      await update("c", { severity: "error" });
      await vi.waitFor(() => expect(lines()).toEqual(["c error", "b error", "a error"]));
      expect(server.asked).toHaveLength(2);
    });

    it("asks once for one that the reader has deleted", async () => {
      await open([failed("b", 20)], { filter: { search: "%" } });
      for (const description of ["10 %", "20 %", "30 %"]) {
        await update("gone", { owner: SYSTEM, createdAt: at(10), description });
        await vi.waitFor(() => expect(inbox.loading).toBe("idle"));
      }
      expect(server.asked).toHaveLength(1);
      await update("gone", { owner: SYSTEM, createdAt: at(10), description: "done" });
      await update("gone", { owner: SYSTEM, createdAt: at(10), description: "40 %" });
      expect(server.asked).toHaveLength(2);
    });

    it("does not ask if an update cannot make an event match, or a later page has it", async () => {
      await open([event("b", 20)], { filter: { category: ["deployment"] } });
      await update("gone", {});
      expect(server.asked).toEqual([]);
      inbox.close();
      await open([failed("b", 20)], { filter: errors, hasMore: true });
      server.asked.length = 0;
      await update("below", { severity: "error", createdAt: at(10) });
      expect(server.asked.filter(({ status }) => !status)).toEqual([]);
    });

    it("keeps an event that the reader has just read", async () => {
      await open([event("a", 10)], { filter: { status: "unread" } });
      await read("a");
      await update("a", { status: "read", metadata: { progress: 50 } });
      expect(shown("a")).toMatchObject({ status: "read", metadata: { progress: 50 } });
    });
  });

  it("is applied to the steps below the list, and finds one that is unread again", async () => {
    const operationId = "o";
    await open([event("new", 20, { operationId, status: "read" })], {
      hasMore: true,
      unread: {},
      read: { informational: 2 },
    });
    server.hasMore = false;
    const older = event("old", 10, { operationId, severity: "error" });
    server.events.push(older);
    await server.say("updated", { event: older, unread: { error: 1 }, read: { informational: -1 } });
    await vi.waitFor(() => expect(inbox.lines[0]).toMatchObject({ older: 1, unread: 1, severity: "error" }));
    expect(server.asked).toHaveLength(1);
    await update("old", { severity: "critical" }, { unread: { critical: 1, error: -1 }, read: {} });
    expect(inbox.lines[0]).toMatchObject({ unread: 1, severity: "critical" });
    await update("old", { metadata: { progress: 1 } });
    expect(inbox.lines[0]?.steps[1]).toMatchObject({ metadata: { progress: 1 } });
    expect(server.asked).toHaveLength(1);
  });
});
