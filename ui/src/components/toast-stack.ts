import { type Event, eventKey } from "../api/event.js";

/** The maximum number of toasts; the oldest is dropped. */
const MAX_TOASTS = 4;

/** A bell that can render toasts. */
export interface ToastHost extends Element {
  /** Whether its drawer is open; everything outside an open drawer is inert. */
  readonly open: boolean;
  requestUpdate(): void;
}

/** A toast for a new event. */
export interface Toast {
  readonly event: Event;
  /** The bell that received the event. */
  readonly host: ToastHost;
  readonly open: () => void;
}

/** The toasts of all bells on a page. One bell renders all of them, so that none covers another. */
class ToastStack {
  #toasts: readonly Toast[] = [];
  readonly #hosts = new Set<ToastHost>();

  get toasts(): readonly Toast[] {
    return this.#toasts;
  }

  join(host: ToastHost): void {
    this.#hosts.add(host);
  }

  leave(host: ToastHost): void {
    this.#hosts.delete(host);
    this.forget(host);
  }

  /** Whether this bell renders the toasts: the bell with an open drawer, or a visible one. */
  isShownBy(host: ToastHost): boolean {
    const hosts = [...this.#hosts];
    const first =
      hosts.find(({ open }) => open) ?? hosts.find((each) => each.checkVisibility()) ?? hosts[0];
    return first === host;
  }

  /** Adds a toast. It replaces an earlier one of its event, which was updated since. */
  add(toast: Toast): void {
    const { event } = toast;
    if (!this.#toasts.some((each) => isOf(event, each) && each.event.updatedAt === event.updatedAt)) {
      this.#set([...this.#toasts.filter((each) => !isOf(event, each)), toast].slice(-MAX_TOASTS));
    }
  }

  dismiss(event: Event): void {
    this.#set(this.#toasts.filter((toast) => !isOf(event, toast)));
  }

  /** Dismisses a toast whose time is over, but not a later one of its event. */
  expire(event: Event): void {
    this.#set(this.#toasts.filter((toast) => toast.event !== event));
  }

  /** Drops a bell's toasts, so that the next user does not see them. */
  forget(host: ToastHost): void {
    this.#set(this.#toasts.filter((toast) => toast.host !== host));
  }

  /** Makes every bell re-evaluate whether it renders the toasts. */
  look(): void {
    for (const host of this.#hosts) {
      host.requestUpdate();
    }
  }

  #set(toasts: readonly Toast[]): void {
    if (toasts.length > 0 || this.#toasts.length > 0) {
      this.#toasts = toasts;
      this.look();
    }
  }
}

function isOf(event: Event, toast: Toast): boolean {
  return eventKey(toast.event) === eventKey(event);
}

export const toastStack = new ToastStack();
