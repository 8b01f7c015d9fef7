import { afterEach, expect, it } from "vitest";

import { dayOf, exactTime, relativeTime } from "../components/time.js";
import { german } from "./de.js";
import { english } from "./en.js";
import { number } from "./number.js";
import { locale, setLanguage, strings, watchLanguage } from "./strings.js";

afterEach(() => setLanguage({ strings: null, locale: null }));

/** The paths of all texts below a value. */
function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [path];
  }
  return Object.entries(value).flatMap(([name, each]) => pathsOf(each, `${path}.${name}`));
}

it("replaces some texts and leaves the others English", () => {
  setLanguage({ strings: { title: "Meldungen", row: { remove: "Weg" }, list: { held: (count) => `+${count}` } } });
  expect([strings.title, strings.row.remove, strings.row.markRead]).toEqual(["Meldungen", "Weg", "Mark as read"]);
  expect(strings.list.held(3)).toBe("+3");
  expect(english.title).toBe("Notifications");
  setLanguage({ strings: undefined });
  expect(strings).toBe(english);
});

it("ignores texts of another type, and keeps names that English has not", () => {
  setLanguage({
    strings: {
      title: 7,
      row: "no group",
      help: { keys: "no list" },
      list: { held: "no function" },
      names: { deployment: "Bereitstellung" },
      errors: { not_found: "Nicht gefunden" },
    } as never,
  });
  expect(strings.title).toBe("Notifications");
  expect(strings.row).toBe(english.row);
  expect(strings.help.keys).toBe(english.help.keys);
  expect(strings.list.held(1)).toBe("1 new");
  expect(strings.names).toEqual({ deployment: "Bereitstellung" });
  expect(strings.errors).toEqual({ ...english.errors, not_found: "Nicht gefunden" });
});

it("writes numbers and times in the locale, or else in the language of the texts", () => {
  expect(number(1_234_567)).toBe("1,234,567");
  setLanguage({ strings: german });
  expect([locale, number(1_234_567), strings.list.total(1_234)]).toEqual(["de", "1.234.567", "1.234 Mitteilungen"]);
  expect(exactTime("2026-12-01T10:00:00Z")).toContain("Dezember");
  expect(relativeTime("2020-12-01T10:00:00Z")).toBe("01.12.2020");
  expect(dayOf(new Date().toISOString())).toBe("Heute");
  setLanguage({ locale: "de-CH" });
  expect(locale).toBe("de-CH");
  expect(number(1_234_567)).toMatch(/^1['’]234['’]567$/);
  setLanguage({ locale: "not a locale!" });
  expect(locale).toBe("de");
  setLanguage({ strings: null, locale: null });
  expect(exactTime("2026-12-01T10:00:00Z")).toContain("December");
});

it("tells listeners once per change", () => {
  let told = 0;
  const leave = watchLanguage(() => (told += 1));
  setLanguage({ strings: german });
  setLanguage({ strings: german });
  setLanguage({});
  expect(told).toBe(1);
  leave();
  setLanguage({ strings: null });
  expect(told).toBe(1);
});

it("has every text in German, none of them empty or English by mistake", () => {
  expect(pathsOf(german).filter((path) => !path.startsWith(".errors"))).toEqual(
    pathsOf(english).filter((path) => !path.startsWith(".errors")),
  );
  expect(german.help.keys.length).toBe(english.help.keys.length);
  const textOf = (texts: object, path: string): unknown =>
    path.slice(1).split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], texts);
  const same = pathsOf(english).filter((path) => {
    const [one, other] = [textOf(english, path), textOf(german, path)];
    return typeof one === "string" && one === other;
  });
  // Words that German shares with English.
  expect(same.map((path) => path.split(".").at(-1)).sort()).toEqual(
    ["debug", "id", "informational", "live", "more", "ok", "status", "status", "system", "system"].sort(),
  );
});
