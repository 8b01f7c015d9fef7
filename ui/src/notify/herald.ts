import { type Event, eventKey } from "../api/event.js";
import { readSettings } from "../inbox/settings.js";
import type { Frame } from "../stream/frame.js";
import { claim } from "./claim.js";

/** The outputs for new events. */
export interface Stage {
  /** Shows a toast. */
  toast(event: Event): void;
  /** Shows a desktop notification. */
  desktop(event: Event): void;
}

/**
 * Announces new events according to the reader's settings: as a toast on the visible page, or on the desktop
 * if no page is visible; each event once across all tabs.
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
          void this.#announce(frame.event);
        }
        return;
      default:
    }
  }

  async #announce(event: Event): Promise<void> {
    const { toasts, desktop } = readSettings();
    const isWanted = [...toasts, ...desktop].includes(event.severity);
    if (document.visibilityState === "visible") {
      // A visible page suppresses desktop notifications, even if it shows no toast.
      if (isWanted && (await claim(eventKey(event))) && toasts.includes(event.severity)) {
        this.#stage.toast(event);
      }
    } else if (desktop.includes(event.severity)) {
      // A visible tab claims first.
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (await claim(eventKey(event))) {
        this.#stage.desktop(event);
      }
    }
  }
}
