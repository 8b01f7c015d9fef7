import { describe, expect, it } from "vitest";

import type { Event } from "./event.js";
import {
  type EventFilter,
  changeFilterOf,
  filterOf,
  isEmpty,
  isSame,
  matches,
  queryOf,
  selectionOf,
} from "./filter.js";

const FULL: EventFilter = {
  severity: ["error", "warning"],
  status: "unread",
  category: ["deployment"],
  action: ["apply", "undo"],
  ownerKind: "system",
  operationId: "0193f0a0-0000-7000-8000-000000000001",
  from: "2026-08-01T10:00:00Z",
  to: "2026-08-02T10:00:00.5+02:00",
  search: '50% "off" & more',
};

const EVENT = {
  id: "a",
  ownerKind: "user",
  severity: "error",
  status: "unread",
  category: "deployment",
  action: "apply",
  operationId: "op",
  description: "Straße gesperrt",
  createdAt: "2026-08-01T10:00:00.5Z",
} as unknown as Event;

describe("the filter in an address", () => {
  it("survives encoding and decoding", () => {
    expect(filterOf(new URLSearchParams(queryOf(FULL).toString()))).toEqual(FULL);
    expect(filterOf(queryOf({}))).toEqual({});
    expect(isEmpty({ severity: [] })).toBe(true);
    expect(isEmpty(FULL)).toBe(false);
  });

  it("ignores invalid values", () => {
    const query = new URLSearchParams({
      severity: '["fatal","error",5]',
      status: "new",
      category: '"deployment"',
      action: '{"a":1}',
      ownerKind: "me",
      operationId: "x",
      from: "yesterday",
      to: "2026-08-01",
      search: "x".repeat(300),
      other: "1",
    });
    expect(filterOf(query)).toEqual({ severity: ["error"] });
  });

  it("can have lists as people write them", () => {
    for (const query of ["severity=error&severity=alert", "severity=error,alert", "severity=error,%20alert,", 'severity=["error","alert"]']) {
      expect(filterOf(new URLSearchParams(query)), query).toEqual({ severity: ["error", "alert"] });
    }
    expect(filterOf(new URLSearchParams("category=backup&action=finish"))).toEqual({ category: ["backup"], action: ["finish"] });
    expect(filterOf(new URLSearchParams("severity=errors&category=&action=[1"))).toEqual({});
  });

  it("encodes the body of a change", () => {
    expect(changeFilterOf({ severity: [], status: "read" })).toEqual({ status: "read" });
    expect(changeFilterOf(FULL)).toEqual(FULL);
  });
});

describe("matches", () => {
  const cases: [EventFilter, boolean][] = [
    [{}, true],
    [{ severity: ["error", "debug"] }, true],
    [{ severity: ["debug"] }, false],
    [{ status: "read" }, false],
    [{ category: ["deployment"], action: ["apply"] }, true],
    [{ action: ["undo"] }, false],
    [{ ownerKind: "user" }, true],
    [{ ownerKind: "system" }, false],
    [{ operationId: "op" }, true],
    [{ operationId: "other" }, false],
    [{ from: "2026-08-01T10:00:00.5Z" }, true],
    [{ from: "2026-08-01T12:00:00.501+02:00" }, false],
    [{ to: "2026-08-01T10:00:00.5Z" }, false],
    [{ to: "2026-08-01T10:00:01Z" }, true],
    [{ search: "STRASSE" }, true],
    [{ search: "straße" }, true],
    [{ search: "%" }, false],
  ];
  it.each(cases)("%j: %s", (filter, expected) => {
    expect(matches(filter, EVENT)).toBe(expected);
  });

  it("recognizes an event of the system", () => {
    const system = { ...EVENT, ownerKind: "system" as const };
    expect(matches({ ownerKind: "system" }, system)).toBe(true);
  });
});

describe("the selection of a change", () => {
  const upTo = "5-0-k3f9q2w8";

  it.each([{}, { severity: [] }, { search: "" }, { category: [], status: undefined as never }])(
    "is all there are where %j holds nothing back",
    (filter: EventFilter) => {
      expect(selectionOf(filter, upTo)).toEqual({ all: true, upTo });
    },
  );

  it("omits empty and unknown fields", () => {
    const filter = { severity: ["error"], action: [], search: "", other: 1 } as EventFilter;
    expect(selectionOf(filter, upTo)).toEqual({ filter: { severity: ["error"] }, upTo });
  });
});

describe("isSame", () => {
  it("compares meaning, not notation", () => {
    const one: EventFilter = { severity: ["error", "alert"], status: "unread" };
    expect(isSame(one, { status: "unread", severity: ["alert", "error", "error"] })).toBe(true);
    expect(isSame({}, { severity: [], search: "" })).toBe(true);
    expect(isSame(one, { ...one, severity: ["error"] })).toBe(false);
    expect(isSame({ category: ["a"] }, { action: ["a"] })).toBe(false);
  });
});
