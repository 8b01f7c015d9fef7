import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError } from "../api/error.js";
import { type Event, type EventKey, eventKey } from "../api/event.js";
import { Choice } from "./choice.js";
import { Extent } from "./extent.js";
import { linesOf } from "./lines.js";
import { type Removal, Removals, UNDO_TIME } from "./removals.js";
import { Work } from "./work.js";

const event = (id: string, operationId = id, fields: Partial<Event> = {}): Event =>
  ({ id, ownerKind: "user", operationId, severity: "informational", status: "unread", ...fields }) as Event;

describe("linesOf", () => {
  const events = [event("c2", "c"), event("b"), event("c1", "c"), event("a"), event("c0", "c")];

  it("folds the events of an operation under its newest event", () => {
    const lines = linesOf(events, new Set());
    expect(lines.map(({ event, older }) => [event.id, older])).toEqual([
      ["c2", 2],
      ["b", 0],
      ["a", 0],
    ]);
  });

  it("shows the steps of an expanded operation", () => {
    const lines = linesOf(events, new Set(["c"]));
    expect(lines.map(({ event, isOlder }) => [event.id, isOlder])).toEqual([
      ["c2", false],
      ["c1", true],
      ["c0", true],
      ["b", false],
      ["a", false],
    ]);
  });
});

describe("a line of an operation", () => {
  const [newest, older] = [event("c2", "c", { severity: "success" }), event("c1", "c")];
  const worst = event("c0", "c", { severity: "critical" });
  const read = (...events: Event[]) => events.map((each) => ({ ...each, status: "read" as const }));
  const lineOf = (loaded: Event[], further: Event[] = []) =>
    linesOf(loaded, new Set(), (id) => (id === "c" ? further : []))[0];

  it("has the severity of its worst unread step until all are read", () => {
    expect(lineOf([newest, older, worst])).toMatchObject({ severity: "critical", unread: 3 });
    expect(lineOf([...read(newest, older), worst])).toMatchObject({ severity: "critical", unread: 1 });
    expect(lineOf([newest, older, ...read(worst)])).toMatchObject({ severity: "success", unread: 2 });
    expect(lineOf(read(newest, older, worst))).toMatchObject({ severity: "success", unread: 0 });
  });

  it("counts steps that are not loaded", () => {
    const line = lineOf(read(newest), [worst]);
    expect(line).toMatchObject({ older: 1, severity: "critical", unread: 1 });
    expect(line?.steps.map(({ id }) => id)).toEqual(["c2", "c0"]);
  });
});

describe("Choice", () => {
  const key = (id: string): EventKey => `user:${id}`;
  const keys = (...ids: string[]) => ids.map(key);
  const order = keys("a", "b", "c", "d", "e");

  it("selects ranges in both directions", () => {
    const choice = new Choice();
    choice.toggle(key("d"));
    choice.extend(key("b"), order);
    expect(choice.keys.toSorted()).toEqual(keys("b", "c", "d"));
    choice.extend(key("e"), order);
    expect(choice.keys.toSorted()).toEqual(keys("b", "c", "d", "e"));
  });

  it("starts over after select-all", () => {
    const choice = new Choice();
    choice.selectAll(Extent.matching({}, "5-0-k3f9q2w8", 3));
    expect([choice.has(event("z")), choice.all?.count]).toEqual([true, 3]);
    choice.toggle(key("a"));
    expect([choice.all, choice.keys]).toEqual([undefined, keys("a")]);
    choice.forget([event("a")]);
    expect(choice.isEmpty).toBe(true);
  });

  it("selects the steps of a line together", () => {
    const choice = new Choice();
    choice.toggle(key("c"), keys("c", "c1", "c0"));
    expect(choice.keys).toEqual(keys("c", "c1", "c0"));
    choice.forget([event("c1")]);
    choice.toggle(key("c"), keys("c", "c0"));
    expect(choice.isEmpty).toBe(true);
    choice.toggle(key("c"), keys("c"));
    choice.toggle(key("c"), keys("c", "c0"));
    expect(choice.keys, "some are not all").toEqual(keys("c", "c0"));
  });

  it("tells events with the same id apart", () => {
    const choice = new Choice();
    const [own, system] = [event("a"), event("a", "a", { ownerKind: "system" })];
    choice.toggle(eventKey(system));
    expect([choice.has(own), choice.has(system)]).toEqual([false, true]);
    choice.forget([own]);
    expect(choice.keys).toEqual(["system:a"]);
  });
});

describe("Extent", () => {
  const upTo = "5-0-k3f9q2w8";

  it("names all events for an empty filter", () => {
    expect(Extent.matching({ severity: [], search: "" }, upTo, 3).selection).toEqual({ all: true, upTo });
    expect(Extent.matching({ severity: ["error"] }, upTo, 3).selection).toEqual({
      filter: { severity: ["error"] },
      upTo,
    });
  });

  it("excludes later events and shrinks after deletions", () => {
    const choice = new Choice();
    const extent = Extent.matching({}, upTo, 2);
    choice.selectAll(extent);
    extent.arrived(event("later"));
    expect([extent.has(event("a")), extent.has(event("later"))]).toEqual([true, false]);
    choice.forget([event("a"), event("later")]);
    expect(extent.count).toBe(1);
  });
});

describe("Removals", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const removal = (id: string): Removal => ({
    extent: Extent.of([`user:${id}`]),
    first: event(id),
  });

  function begin() {
    const sent: [string, boolean][] = [];
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const removals = new Removals(
      ({ first }, leaving) => {
        sent.push([first?.id ?? "", leaving]);
        return answered;
      },
      () => undefined,
    );
    return { removals, sent, answer };
  }

  it("sends a deletion after the undo period and hides it until the response", async () => {
    const { removals, sent, answer } = begin();
    removals.add(removal("a"));
    expect(removals.hides(event("a"))).toBe(true);
    vi.advanceTimersByTime(UNDO_TIME - 1);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([["a", false]]);
    expect(removals.hides(event("a"))).toBe(true);
    answer();
    await removals.settle();
    expect(removals.hides(event("a"))).toBe(false);
  });

  it("does not send an undone deletion", () => {
    const { removals, sent } = begin();
    removals.add(removal("a"));
    removals.undo();
    vi.advanceTimersByTime(UNDO_TIME * 2);
    removals.flush(true);
    expect(sent).toEqual([]);
    expect(removals.hides(event("a"))).toBe(false);
  });

  it("gives each deletion its own undo period", () => {
    const { removals, sent } = begin();
    const [a, b, c] = ["a", "b", "c"].map(removal) as [Removal, Removal, Removal];
    removals.add(a);
    vi.advanceTimersByTime(UNDO_TIME / 2);
    removals.add(b);
    removals.add(c);
    expect(removals.waiting).toEqual([a, b, c]);
    removals.undo();
    removals.undo(a);
    expect(removals.waiting).toEqual([b]);
    expect([a, b, c].map(({ first }) => first && removals.hides(first))).toEqual([false, true, false]);
    vi.advanceTimersByTime(UNDO_TIME - 1);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([["b", false]]);
    removals.undo();
    expect(sent).toHaveLength(1);
  });

  it("sends all when the page closes", () => {
    const { removals, sent } = begin();
    removals.add(removal("a"));
    removals.add(removal("b"));
    removals.flush(true);
    vi.advanceTimersByTime(UNDO_TIME * 2);
    expect(sent).toEqual([
      ["a", true],
      ["b", true],
    ]);
  });
});

describe("Work", () => {
  it("runs changes in sequence and reports progress", async () => {
    const log: string[] = [];
    const failures: string[] = [];
    const work = new Work(
      () => log.push(work.job ? `${work.job.name} ${work.job.done}` : "-"),
      (error) => failures.push(error.message),
    );
    let finish = (): void => undefined;
    const first = work.add("read", 3, () => new Promise<void>((resolve) => (finish = resolve)));
    const second = work.add("delete", 1, () => Promise.reject(new ApiError("no", 500, "internal")));
    await Promise.resolve();
    work.take({ kind: "status", cursor: "", change: { ids: ["a", "b"] } as never });
    work.take({ kind: "status", cursor: "", change: { ids: ["c", "others"] } as never });
    finish();
    await Promise.all([first, second]);
    expect(log).toEqual(["read 0", "read 2", "read 3", "-", "delete 0", "-"]);
    expect(failures).toEqual(["no"]);
  });
});
