import { describe, expect, it } from "vitest";

import { dayOf, exactTime, relativeTime } from "./time.js";

const NOW = Date.parse("2026-08-08T12:00:00Z");

describe("relativeTime", () => {
  it.each([
    ["2026-08-08T12:00:00Z", "now"],
    ["2026-08-08T12:00:04Z", "now"],
    ["2026-08-08T11:59:18.5Z", "now"],
    ["2026-08-08T11:01:00Z", "59 min. ago"],
    ["2026-08-08T09:30:00+02:00", "4 hr. ago"],
    ["2026-08-07T11:00:00Z", "yesterday"],
    ["2026-08-03T12:00:00Z", "5 days ago"],
    ["2026-07-01T12:00:00Z", "Jul 1, 2026"],
    ["2026-08-08T13:00:00Z", "soon"],
    ["2027-08-08T13:00:00Z", "Aug 8, 2027"],
    ["junk", "junk"],
  ])("%s: %s", (time, expected) => {
    expect(relativeTime(time, NOW)).toBe(expected);
  });
});

describe("dayOf", () => {
  it("names the days of a week, and then the date", () => {
    const now = new Date(2026, 7, 8, 0, 30).getTime();
    const day = (...at: [number, number, number, number, number]) => dayOf(new Date(...at).toISOString(), now);
    expect(day(2026, 7, 8, 0, 0)).toBe("Today");
    expect(day(2026, 7, 8, 23, 59)).toBe("Today");
    expect(day(2026, 7, 7, 23, 59)).toBe("Yesterday");
    expect(day(2026, 7, 7, 0, 0)).toBe("Yesterday");
    expect(day(2026, 7, 6, 23, 59)).toBe("Thursday");
    expect(day(2026, 7, 2, 0, 0)).toBe("Sunday");
    expect(day(2026, 7, 1, 12, 0)).toBe("Aug 1, 2026");
    expect(day(2026, 7, 9, 1, 0)).toBe("Aug 9, 2026");
    expect(dayOf("junk", now)).toBe("junk");
  });
});

describe("exactTime", () => {
  it("formats to the second and keeps invalid times", () => {
    expect(exactTime("2026-08-08T12:34:56.789Z")).toMatch(/:34:56/);
    expect(exactTime("junk")).toBe("junk");
  });
});
