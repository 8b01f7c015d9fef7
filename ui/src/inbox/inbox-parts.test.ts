import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError } from "../api/error.js";
import type { Event } from "../api/schema.js";
import { Choice } from "./choice.js";
import { linesOf } from "./lines.js";
import { type Removal, Removals, UNDO_TIME } from "./removals.js";
import { Work } from "./work.js";

describe("linesOf", () => {
  const event = (id: string, operationId = id): Event => ({ id, operationId }) as Event;
  const events = [event("c2", "c"), event("b"), event("c1", "c"), event("a"), event("c0", "c")];

  it("folds the events of an operation under its newest", () => {
    const lines = linesOf(events, new Set());
    expect(lines.map(({ event, older }) => [event.id, older])).toEqual([
      ["c2", 2],
      ["b", 0],
      ["a", 0],
    ]);
  });

  it("shows them where that is wanted", () => {
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

describe("Choice", () => {
  const order = ["a", "b", "c", "d", "e"];

  it("selects ranges in both directions", () => {
    const choice = new Choice();
    choice.toggle("d");
    choice.extend("b", order);
    expect(choice.ids.toSorted()).toEqual(["b", "c", "d"]);
    choice.extend("e", order);
    expect(choice.ids.toSorted()).toEqual(["b", "c", "d", "e"]);
  });

  it("begins anew after all were selected", () => {
    const choice = new Choice();
    choice.selectAll();
    expect([choice.has("z"), choice.isAll]).toEqual([true, true]);
    choice.toggle("a");
    expect([choice.isAll, choice.ids]).toEqual([false, ["a"]]);
    choice.forget(["a"]);
    expect(choice.isEmpty).toBe(true);
  });
});

describe("Removals", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const removal = (id: string): Removal => ({
    selection: { ids: [id] },
    count: 1,
    hidden: new Set([id]),
  });

  function begin() {
    const sent: [string, boolean][] = [];
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const removals = new Removals(
      ({ hidden }, leaving) => {
        sent.push([[...hidden].join(), leaving]);
        return answered;
      },
      () => undefined,
    );
    return { removals, sent, answer };
  }

  it("sends what nobody takes back in time, and hides it until that is answered", async () => {
    const { removals, sent, answer } = begin();
    removals.add(removal("a"));
    expect(removals.hides("a")).toBe(true);
    vi.advanceTimersByTime(UNDO_TIME - 1);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([["a", false]]);
    expect(removals.hides("a")).toBe(true);
    answer();
    await removals.settle();
    expect(removals.hides("a")).toBe(false);
  });

  it("sends nothing that was taken back", () => {
    const { removals, sent } = begin();
    removals.add(removal("a"));
    removals.undo();
    vi.advanceTimersByTime(UNDO_TIME * 2);
    removals.flush(true);
    expect(sent).toEqual([]);
    expect(removals.hides("a")).toBe(false);
  });

  it("sends the one before when another comes, and the last when the page goes", () => {
    const { removals, sent } = begin();
    removals.add(removal("a"));
    removals.add(removal("b"));
    expect(sent).toEqual([["a", false]]);
    removals.flush(true);
    vi.advanceTimersByTime(UNDO_TIME * 2);
    expect(sent).toEqual([
      ["a", false],
      ["b", true],
    ]);
  });
});

describe("Work", () => {
  it("does one thing after the other and tells how far it is", async () => {
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
