import { type Event, eventKey } from "../api/event.js";
import type { Severity } from "../api/schema.js";
import { rankOf } from "../inbox/lines.js";
import { readSettings } from "../inbox/settings.js";
import type { Frame, Update } from "../stream/frame.js";
import { claim } from "./claim.js";

/** The outputs for new events, and for updates that make an event unread. */
export interface Stage {
  /** Shows a toast. */
  toast(event: Event): void;
  /** Shows a desktop notification. */
  desktop(event: Event): void;
}

/** Whether an update makes an event unread, or more urgent if it is unread already. */
function isNews({ event, unread }: Update<Event>): boolean {
  const wasAsUrgent = ([severity, change]: [string, number]): boolean =>
    change < 0 && rankOf(severity as Severity) <= rankOf(event.severity);
  return (
    event.status === "unread" &&
    (unread?.[event.severity] ?? 0) > 0 &&
    !Object.entries(unread ?? {}).some(wasAsUrgent)
  );
}

/**
 * Announces new events, and updates that make an event unread, according to the reader's settings: as a toast on the
 * visible page, or on the desktop if no page is visible; each once across all tabs.
 */
export class Herald {
  readonly #stage: Stage;
  /** Only live events are announced, not replayed ones. */
  #isLive = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  take(frame: Frame<Event>): void {
    switch (frame.kind) {
      case "ready":
      case "reset":
        this.#isLive = false;
        return;
      case "live":
        this.#isLive = true;
        return;
      case "event":
        if (this.#isLive && frame.event.status === "unread") {
          void this.#announce(frame.event, eventKey(frame.event));
        }
        return;
      case "updated":
        if (this.#isLive && isNews(frame.change)) {
          const { event } = frame.change;
          void this.#announce(event, `${eventKey(event)}:${event.updatedAt}`);
        }
        return;
      default:
    }
  }

  /** `name` is the same in all tabs. */
  async #announce(event: Event, name: string): Promise<void> {
    const { toasts, desktop } = readSettings();
    const isWanted = [...toasts, ...desktop].includes(event.severity);
    if (document.visibilityState === "visible") {
      // A visible page suppresses desktop notifications, even if it shows no toast.
      if (isWanted && (await claim(name)) && toasts.includes(event.severity)) {
        this.#stage.toast(event);
      }
    } else if (desktop.includes(event.severity)) {
      // A visible tab claims first.
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (await claim(name)) {
        this.#stage.desktop(event);
      }
    }
  }
}
