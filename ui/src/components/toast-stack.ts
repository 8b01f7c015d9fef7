import type { Event } from "../api/schema.js";

/** The most at a time; the oldest goes. */
const MAX_TOASTS = 4;

/** A bell that can show toasts. */
export interface ToastHost extends Element {
  /** Whether its drawer is open, outside of which nothing can be clicked. */
  readonly open: boolean;
  requestUpdate(): void;
}

/** A new event that is shown in a corner of the page. */
export interface Toast {
  readonly event: Event;
  /** The bell that it came to. */
  readonly host: ToastHost;
  readonly open: () => void;
}

/** The toasts of all bells of a page: one of the bells shows them all, so that none covers another. */
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

  /** Whether this bell is the one that shows them: the one with an open drawer, or one that can be seen. */
  isShownBy(host: ToastHost): boolean {
    const hosts = [...this.#hosts];
    const first =
      hosts.find(({ open }) => open) ?? hosts.find((each) => each.checkVisibility()) ?? hosts[0];
    return first === host;
  }

  add(toast: Toast): void {
    if (!this.#toasts.some(({ event }) => event.id === toast.event.id)) {
      this.#set([...this.#toasts, toast].slice(-MAX_TOASTS));
    }
  }

  dismiss(event: Event): void {
    this.#set(this.#toasts.filter((toast) => toast.event.id !== event.id));
  }

  /** Drops those of a bell: whoever comes next need not see them. */
  forget(host: ToastHost): void {
    this.#set(this.#toasts.filter((toast) => toast.host !== host));
  }

  /** Has every bell look again whether it is the one. */
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

export const toastStack = new ToastStack();
