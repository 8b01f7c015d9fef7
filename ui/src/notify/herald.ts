import type { Event } from "../api/schema.js";
import { readSettings } from "../inbox/settings.js";
import type { Frame } from "../stream/frame.js";
import { claim } from "./claim.js";

/** Who shows what is told. */
export interface Stage {
  /** Shows an event in the page. */
  toast(event: Event): void;
  /** Tells the desktop of an event. */
  desktop(event: Event): void;
}

/**
 * Tells a reader of new events as they asked for: in the page that they look at, or on the desktop while
 * they look at none; and of each once, in however many tabs it is seen.
 */
export class Herald {
  readonly #stage: Stage;
  /** Only what happens while one looks on is told, and nothing that was missed meanwhile. */
  #isLive = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  take(frame: Frame): void {
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
      // Who looks at a page needs no word from the desktop, also where it shows no toast.
      if (isWanted && (await claim(event.id)) && toasts.includes(event.severity)) {
        this.#stage.toast(event);
      }
    } else if (desktop.includes(event.severity)) {
      // A tab that is looked at has the first say.
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (await claim(event.id)) {
        this.#stage.desktop(event);
      }
    }
  }
}
