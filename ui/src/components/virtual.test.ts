import { beforeEach, expect, it } from "vitest";

import { VirtualRows } from "./virtual.js";

/** A row in the document. */
function element(index: number, height: number) {
  return { dataset: { index: String(index) }, offsetHeight: height, isConnected: true };
}

/** A list whose visible area is 100 pixels high; an unknown row counts as 10 pixels. */
class List {
  scrollTop = 0;
  offsetHeight = 100;
  isConnected = true;
  updates = 0;
  rendered: ReturnType<typeof element>[] = [];
  readonly rows: VirtualRows;

  constructor(count: number) {
    const host = { addController: () => undefined, requestUpdate: () => (this.updates += 1) };
    this.rows = new VirtualRows(host as never, {
      scroller: () => this as unknown as HTMLElement,
      estimate: 10,
      overscan: 2,
    });
    this.rows.hostConnected();
    this.set(count);
    this.rows.hostUpdated();
  }

  set(count: number, key = (index: number): string => `row ${index}`): void {
    this.rows.set(count, key);
  }

  querySelectorAll() {
    return this.rendered;
  }

  scrollTo({ top }: { top: number }): void {
    this.scrollTop = top;
  }

  scrollBy({ top }: { top: number }): void {
    this.scrollTop += top;
  }

  measure(...heights: readonly (readonly [number, number])[]): void {
    this.rendered = heights.map(([index, height]) => element(index, height));
    this.rows.hostUpdated();
  }

  get shown(): number[] {
    return this.rows.rows.map(({ index }) => index);
  }
}

beforeEach(() => {
  Object.assign(globalThis, {
    innerHeight: 500,
    ResizeObserver: class {
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  });
});

it("renders the visible rows and some around them", () => {
  const list = new List(1_000);
  expect([list.shown[0], list.shown.at(-1)]).toEqual([0, 12]);
  list.scrollTop = 5_000;
  expect([list.shown[0], list.shown.at(-1)]).toEqual([498, 512]);
  list.scrollTop = 9_900;
  expect([list.shown[0], list.shown.at(-1)]).toEqual([988, 999]);
  expect(list.rows.total).toBe(10_000);
  list.set(0);
  expect([list.shown, list.rows.total]).toEqual([[], 0]);
});

it("places rows by their measured heights, which it keeps by key", () => {
  const list = new List(10);
  list.measure([0, 30], [1, 20]);
  expect(list.updates).toBeGreaterThan(0);
  expect([1, 2, 3].map((index) => list.rows.startOf(index))).toEqual([30, 50, 60]);
  expect(list.rows.total).toBe(130);
  // A new row above the others.
  list.set(11, (index) => (index === 0 ? "new" : `row ${index - 1}`));
  expect([1, 2, 3].map((index) => list.rows.startOf(index))).toEqual([10, 40, 60]);
  list.rows.gap = 5;
  expect([0, 1].map((index) => list.rows.startOf(index))).toEqual([5, 15]);
  expect(list.rows.at(15)).toBe(1);
});

it("keeps what the reader looks at in place when rows above change", () => {
  const list = new List(100);
  list.scrollTop = 200;
  list.measure([5, 40]);
  expect(list.scrollTop).toBe(230);
  list.measure([90, 40]);
  expect(list.scrollTop).toBe(230);
  // A row that opens at the upper edge is read from its top; one that closes there takes its part above along.
  list.scrollTop = list.rows.startOf(20) + 5;
  const before = list.scrollTop;
  list.measure([20, 110]);
  expect(list.scrollTop).toBe(before);
  list.measure([20, 10]);
  expect(list.scrollTop).toBe(before - 100);
});

it("scrolls as little as shows a row", () => {
  const list = new List(100);
  list.rows.scrollTo(3);
  expect(list.scrollTop).toBe(0);
  list.rows.scrollTo(20);
  expect(list.scrollTop).toBe(110);
  list.rows.scrollTo(15);
  expect(list.scrollTop).toBe(110);
  list.rows.scrollTo(2);
  expect(list.scrollTop).toBe(20);
});

it("asks for a render only if other rows are visible", () => {
  const list = new List(100);
  expect(list.shown[0]).toBe(0);
  const before = list.updates;
  list.scrollTop = 4;
  list.rows.scrolled();
  expect(list.updates).toBe(before);
  list.scrollTop = 50;
  list.rows.scrolled();
  expect(list.updates).toBe(before + 1);
});
