import { afterEach, describe, expect, it, vi } from "vitest";

import { Client } from "./client.js";
import { eventKey, linkName, meantBy, meantByChange, withOwnerKind } from "./event.js";
import type { Event as StoredEvent } from "./schema.js";

const ID = "0193f0a0-0000-7000-8000-000000000001";
const SYSTEM = "0193f0a0-0000-7000-8000-00000000000b";

const stored = (owner: string, systemId = SYSTEM): StoredEvent =>
  ({ id: ID, owner, systemId }) as StoredEvent;

describe("the key of an event", () => {
  it("depends on whose event it is, not on who sent it", () => {
    const own = withOwnerKind(stored(ID), SYSTEM);
    const system = withOwnerKind(stored(SYSTEM, ID), SYSTEM);
    expect([eventKey(own), eventKey(system)]).toEqual([`user:${ID}`, `system:${ID}`]);
    expect([linkName(own), linkName(system)]).toEqual([ID, `system:${ID}`]);
  });

  it("is one of those that a link can mean", () => {
    expect(meantBy(ID)).toEqual([`user:${ID}`, `system:${ID}`]);
    expect(meantBy(`system:${ID}`)).toEqual([`system:${ID}`]);
    expect(meantBy(`user:${ID}`)).toEqual([`user:${ID}`]);
  });

  it("is distinguished by a change with `systemIds`", () => {
    expect(meantByChange({ ids: ["a", "b"] })).toEqual([
      ["user:a", "system:a"],
      ["user:b", "system:b"],
    ]);
    expect(meantByChange({ ids: ["a", "b", "b"], systemIds: ["b"] })).toEqual([
      ["user:a"],
      ["system:b"],
      ["user:b"],
    ]);
  });
});

describe("Client", () => {
  afterEach(() => void vi.unstubAllGlobals());

  function server(respond: (path: string) => unknown) {
    const sent: [string, unknown][] = [];
    vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
      sent.push([path, init.body ? JSON.parse(init.body as string) : undefined]);
      return Promise.resolve(new Response(JSON.stringify(respond(path))));
    });
    return { client: new Client({ server: "", getToken: undefined }), sent };
  }

  it("says of every id whose event it means", async () => {
    const { client, sent } = server(() => ({ count: 1 }));
    await client.mark({ keys: ["user:a", "system:b", "user:b"] }, "read");
    await client.remove({ keys: ["user:a"] });
    expect(sent.map(([, body]) => body)).toEqual([
      { ids: ["a", "b", "b"], systemIds: ["b"], status: "read" },
      { ids: ["a"], systemIds: [] },
    ]);
  });

  it("sends a request no more ids than a closing page can", async () => {
    const { client, sent } = server(() => ({ count: 1 }));
    const keys = Array.from({ length: 2_000 }, (_, n) => `system:${n}` as const);
    expect(await client.remove({ keys }, true)).toBe(sent.length);
    const bodies = sent.map(([, body]) => body as { ids: string[]; systemIds: string[] });
    expect(bodies.flatMap(({ ids }) => ids)).toEqual(keys.map((key) => key.slice("system:".length)));
    for (const { ids, systemIds } of bodies) {
      expect(systemIds).toEqual(ids);
      expect(ids.length).toBeLessThanOrEqual(750);
    }
  });

  it("asks for the event that a name means, and tells whose it is", async () => {
    const { client, sent } = server((path) =>
      path.includes("summary") ? { systemId: SYSTEM } : stored(SYSTEM, ID),
    );
    expect((await client.get(`system:${ID}`)).ownerKind).toBe("system");
    expect((await client.get(ID)).ownerKind).toBe("system");
    expect(sent.map(([path]) => path)).toEqual([
      "/api/system/events/summary",
      `/api/system/events/${ID}?ownerKind=system`,
      `/api/system/events/${ID}`,
    ]);
  });
});
