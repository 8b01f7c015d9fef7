import { describe, expect, it } from "vitest";

import type { Event } from "../api/event.js";
import { Rows, comesBefore } from "./rows.js";

const event = (id: string, createdAt: string, fields: Partial<Event> = {}): Event =>
  ({
    id,
    ownerKind: "user",
    createdAt,
    updatedAt: createdAt,
    operationId: id,
    severity: "error",
    status: "unread",
    description: "",
    ...fields,
  }) as Event;

const at = (second: number): string => `2026-08-01T10:00:${String(second).padStart(2, "0")}Z`;
const arrived = (event: Event) => ({ kind: "event", cursor: "", event }) as const;
const marked = (ids: string[], status: "read" | "unread") =>
  ({ kind: "status", cursor: "", change: { ids, status, updatedAt: "later" } as never }) as const;
const deleted = (ids: string[]) =>
  ({ kind: "deleted", cursor: "", change: { ids } as never }) as const;
const ids = (rows: Rows): string[] => rows.events.map(({ id }) => id);

describe("comesBefore", () => {
  it("compares times to the nanosecond, then ids", () => {
    const order = [
      event("a", "2026-08-01T10:00:00.55Z"),
      event("b", "2026-08-01T10:00:00.5Z"),
      event("c", "2026-08-01T10:00:00.499999999Z"),
      event("d", "2026-08-01T10:00:00Z"),
    ];
    const shuffled = [order[2], order[0], order[3], order[1]] as Event[];
    const sorted = shuffled.sort((one, other) => (comesBefore(one, other) ? -1 : 1));
    expect(sorted.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
    expect(comesBefore(event("b", at(1)), event("a", at(1)))).toBe(true);
  });
});

describe("Rows", () => {
  function rows(): Rows {
    const rows = new Rows();
    rows.begin({}, [event("c", at(30)), event("b", at(20)), event("a", at(10))], 3);
    return rows;
  }

  it("inserts each event once, in order", () => {
    const list = rows();
    list.take(arrived(event("d", at(40))), false);
    list.take(arrived(event("d", at(40))), false);
    list.take(arrived(event("x", at(25))), false);
    expect(ids(list)).toEqual(["d", "c", "x", "b", "a"]);
    expect(list.total).toBe(5);
  });

  it("holds new events while the reader reads, and keeps them up to date", () => {
    const list = rows();
    list.take(arrived(event("d", at(40))), true);
    list.take(arrived(event("e", at(50))), true);
    list.take(marked(["d"], "read"), true);
    list.take(deleted(["e"]), true);
    expect([ids(list), list.held, list.total]).toEqual([["c", "b", "a"], 1, 4]);
    list.release();
    expect([ids(list), list.held]).toEqual([["d", "c", "b", "a"], 0]);
    expect(list.get(["user:d"])?.status).toBe("read");
  });

  it("leaves events of the next page to that page", () => {
    const list = rows();
    list.hasMore = true;
    list.take(arrived(event("0", at(5))), false);
    expect([ids(list), list.total]).toEqual([["c", "b", "a"], 4]);
    list.append([event("0", at(5)), event("a", at(10))]);
    expect(ids(list)).toEqual(["c", "b", "a", "0"]);
  });

  it("reports matching events that are not loaded", () => {
    const list = new Rows();
    list.begin({ status: "unread" }, [event("a", at(10))], 1);
    expect(list.take(marked(["unknown"], "unread"), false)).toBe(true);
    expect(list.take(marked(["unknown"], "read"), false)).toBe(false);
    // An event that has just been read does not vanish.
    expect(list.take(marked(["a"], "read"), false)).toBe(false);
    expect(list.get(["user:a"])?.status).toBe("read");
    expect(ids(list)).toEqual(["a"]);
  });

  it("hides events that the filter excludes", () => {
    const list = new Rows();
    list.begin({ severity: ["debug"] }, [], 0);
    list.take(arrived(event("a", at(10))), false);
    expect([ids(list), list.total]).toEqual([[], 0]);
  });

  describe("with an own event and one of the system under one id", () => {
    const system = (id: string, createdAt: string) => event(id, createdAt, { ownerKind: "system" });
    const change = (ids: string[], systemIds?: string[]) => ({ ids, ...(systemIds ? { systemIds } : {}) });
    const states = (list: Rows) => list.events.map(({ ownerKind, status }) => `${ownerKind} ${status}`);
    const status = (ids: string[], systemIds?: string[]) =>
      ({
        kind: "status",
        cursor: "",
        change: { ...change(ids, systemIds), status: "read", updatedAt: "later" } as never,
      }) as const;
    const gone = (ids: string[], systemIds?: string[]) =>
      ({ kind: "deleted", cursor: "", change: change(ids, systemIds) as never }) as const;

    function both(): Rows {
      const list = new Rows();
      list.begin({}, [], 0);
      list.take(arrived(event("a", at(10))), false);
      list.take(arrived(system("a", at(10))), false);
      list.take(arrived(system("a", at(10))), false);
      expect([states(list), list.total]).toEqual([["system unread", "user unread"], 2]);
      return list;
    }

    it("marks the one that the frame names", () => {
      const list = both();
      list.take(status(["a"], []), false);
      expect(states(list)).toEqual(["system unread", "user read"]);
      const other = both();
      other.take(status(["a"], ["a"]), false);
      expect(states(other)).toEqual(["system read", "user unread"]);
      other.take(status(["a", "a"], ["a"]), false);
      expect(states(other)).toEqual(["system read", "user read"]);
    });

    it("removes the one that the frame names", () => {
      const list = both();
      list.take(gone(["a"], ["a"]), false);
      expect([states(list), list.total]).toEqual([["user unread"], 1]);
      const other = both();
      other.take(gone(["a"], []), false);
      expect([states(other), other.total]).toEqual([["system unread"], 1]);
      // Without `systemIds` only one of them is left.
      other.take(status(["a"]), false);
      expect(states(other)).toEqual(["system read"]);
      other.take(gone(["a"]), false);
      expect([states(other), other.total]).toEqual([[], 0]);
    });

    it("holds them apart", () => {
      const list = new Rows();
      list.begin({}, [event("a", at(10))], 1);
      list.take(arrived(system("a", at(20))), true);
      expect([list.held, list.total]).toEqual([1, 2]);
      list.take(gone(["a"], []), true);
      list.release();
      expect(states(list)).toEqual(["system unread"]);
    });
  });

  it("applies every frame idempotently", () => {
    const frames = [
      arrived(event("d", at(40))),
      marked(["a", "d"], "read"),
      deleted(["b", "nothing"]),
      arrived(event("e", at(45), { status: "read" })),
      marked(["a"], "unread"),
    ];
    const [once, twice] = [rows(), rows()];
    for (const frame of frames) {
      once.take(frame, false);
      twice.take(frame, false);
      twice.take(frame, false);
    }
    expect(twice.events).toEqual(once.events);
    expect(twice.total).toBe(once.total);
  });
});
