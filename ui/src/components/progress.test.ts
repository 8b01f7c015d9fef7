// @vitest-environment happy-dom
import { render } from "lit";
import { describe, expect, it } from "vitest";

import type { Event } from "../api/event.js";
import { progressBar, progressOf } from "./progress.js";

const event = (metadata: unknown): Event => ({ metadata }) as Event;

describe("the progress of an event", () => {
  it("is a number from 0 to 100", () => {
    for (const progress of [0, 0.5, 42, 99.9, 100]) {
      expect(progressOf(event({ progress }))).toBe(progress);
    }
    for (const progress of [-1, 100.1, NaN, Infinity, "42", true, null, [42], { value: 42 }, undefined]) {
      expect(progressOf(event({ progress }))).toBeUndefined();
    }
    for (const metadata of [undefined, null, "progress", 42, [42], {}]) {
      expect(progressOf(event(metadata))).toBeUndefined();
    }
  });

  it("is a bar with a name, a value and a text", () => {
    const place = document.createElement("div");
    render(progressBar(event({ progress: 99.6 })), place);
    const bar = place.querySelector('[role="progressbar"]');
    const names = ["aria-label", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-valuetext"];
    expect(names.map((name) => bar?.getAttribute(name))).toEqual(["Progress", "0", "100", "99", "99%"]);
    expect(place.querySelector<HTMLElement>("i")?.style.width).toBe("99.6%");
    expect(bar?.closest("[aria-live], [role=status], [role=log]")).toBeNull();
    render(progressBar(event({ progress: 101 })), place);
    expect(place.querySelector("[role]")).toBeNull();
  });
});
