import { describe, expect, it } from "vitest";

import type { Event } from "../api/event.js";
import { type ToastHost, toastStack } from "./toast-stack.js";

const host = { open: false, requestUpdate: () => undefined } as unknown as ToastHost;
const event = (id: string, updatedAt: string) => ({ id, ownerKind: "user", updatedAt }) as Event;
const add = (each: Event) => toastStack.add({ event: each, host, open: () => undefined });
const shown = () => toastStack.toasts.map(({ event: { id, updatedAt } }) => `${id} ${updatedAt}`);

describe("the stack of toasts", () => {
  it("has one toast an event, the newest", () => {
    const first = event("a", "1");
    const again = event("a", "2");
    for (const each of [first, event("b", "1"), first, again, again]) {
      add(each);
    }
    expect(shown()).toEqual(["b 1", "a 2"]);
    // The time of the first one is over.
    toastStack.expire(first);
    expect(shown()).toEqual(["b 1", "a 2"]);
    toastStack.expire(again);
    expect(shown()).toEqual(["b 1"]);
    toastStack.dismiss(event("b", "3"));
    expect(shown()).toEqual([]);
  });
});
