import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { GetToken } from "../api/credential.js";
import { SEVERITIES } from "../api/filter.js";
import { type Event, eventKey } from "../api/event.js";
import { type Session, sessionOf } from "../inbox/session.js";
import { URGENT } from "../inbox/settings.js";
import { tell } from "../notify/desktop.js";
import { Herald } from "../notify/herald.js";
import { totalOf } from "../stream/counts.js";
import { toldToHost } from "../stream/frame.js";
import { type PartialStrings, strings } from "../strings/strings.js";
import { adoptReactProps } from "./adopt.js";
import { around, seenAt } from "./contrast.js";
import { bellIcon, closeIcon } from "./icons.js";
import "./inbox.js";
import { speak, translate } from "./language.js";
import type { Links } from "./links.js";
import { look, severityColors, theme } from "./look.js";
import { toastStack } from "./toast-stack.js";
import { TOAST_TIME, raise, toastStyles, toasts } from "./toasts.js";
import { spokenOf, titleOf } from "./words.js";

/** The largest number that the badge shows. */
const BADGE = 99;

/**
 * Shows the number of unread events and the worst severity among them. A click opens the inbox in a drawer.
 *
 * New events, and events that an update makes unread, also appear as toasts or desktop notifications if the reader
 * has enabled them in the inbox settings.
 *
 * @attr server - see `tidings-inbox`
 * @attr theme - see `tidings-inbox`
 * @attr locale - see `tidings-inbox`
 * @attr open - whether the drawer is open
 * @attr no-drawer - a click only fires `tidings-open`; the host page shows the inbox itself
 * @attr host-actions - see `tidings-inbox`
 * @prop getToken - see `tidings-inbox`
 * @prop strings - see `tidings-inbox`
 * @prop eventLink - see `tidings-inbox`
 * @prop resolveLink - see `tidings-inbox`
 * @fires {CustomEvent<Event | null>} tidings-open - the reader opened the drawer or an event in it; the detail is the event or null
 * @fires {CustomEvent<{ action: TidingsAction, event: Event }>} tidings-action - see `tidings-inbox`
 * @fires {CustomEvent<Event>} tidings-event - a new event arrived; the detail is the event
 * @fires {CustomEvent<Event>} tidings-update - an event was updated by its publisher; the detail is the event as it is now
 */
@customElement("tidings-bell")
export class TidingsBell extends LitElement {
  @property() server = "";
  @property({ reflect: true }) theme: string | null = null;
  @property({ type: Boolean, reflect: true }) open = false;
  @property({ type: Boolean, attribute: "no-drawer" }) noDrawer = false;
  @property({ attribute: false }) getToken: GetToken | undefined;
  @property({ attribute: false }) eventLink: Links["eventLink"];
  @property({ attribute: false }) resolveLink: Links["resolveLink"];
  @property({ type: Boolean, attribute: "host-actions" }) hostActions = false;
  @property({ attribute: false }) strings: PartialStrings | null | undefined;
  @property() locale: string | null | undefined;

  /** The newest toast, announced to screen readers. */
  @state() private spoken = "";

  readonly #around = new MutationObserver(() => this.#look());
  /** The newest toast that has been shown. */
  #raised: unknown;
  /** Whether the browser prefers a dark theme. */
  #scheme: MediaQueryList | undefined;
  #session: Session | undefined;
  #leave: (() => void) | undefined;

  static override styles = [
    theme,
    look,
    severityColors,
    toastStyles,
    css`
      :host {
        display: inline-block;
        /* Inherits the color scheme of the host page, because the bell stands on its background. */
        color: inherit;
      }
      .bell,
      .bell:hover {
        position: relative;
        width: 2.5rem;
        height: 2.5rem;
        color: var(--t-bell, inherit);
      }
      .bell:hover {
        background: color-mix(in srgb, currentColor 12%, transparent);
      }
      .bell:focus-visible {
        outline-color: currentColor;
      }
      .badge {
        position: absolute;
        inset-block-start: 0.0625rem;
        inset-inline-end: 0;
        min-width: 1.125rem;
        height: 1.125rem;
        padding-inline: 0.25rem;
        border-radius: 999px;
        background: var(--t-severity, var(--t-accent));
        color: light-dark(#ffffff, #16181d);
        font: 700 0.6875rem/1.125rem var(--t-font);
        text-align: center;
        font-variant-numeric: tabular-nums;
      }
      .is-ringed .badge {
        outline: 2px solid var(--t-ring);
      }
      @media (forced-colors: active) {
        .badge {
          border: 1px solid;
          line-height: 1rem;
        }
      }
      dialog {
        color: var(--t-text);
      }
      dialog.drawer {
        position: fixed;
        inset: 0;
        inset-inline-start: auto;
        margin: 0;
        padding: 0;
        width: min(32rem, 100vw);
        max-width: none;
        height: 100dvh;
        max-height: none;
        border: 0;
        border-inline-start: 1px solid var(--t-line);
        border-radius: 0;
        animation: slide 0.18s ease-out;
      }
      @keyframes slide {
        from {
          opacity: 0;
        }
      }
    `,
  ];

  get #drawer(): HTMLDialogElement | null | undefined {
    return this.shadowRoot?.querySelector("dialog");
  }

  constructor() {
    super();
    translate(this, true);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.hasUpdated) {
      adoptReactProps(this);
    }
    toastStack.join(this);
    this.#watch();
    if (this.hasUpdated) {
      this.#follow();
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    toastStack.leave(this);
    this.#around.disconnect();
    this.#scheme?.removeEventListener("change", this.#look);
    removeEventListener("transitionend", this.#look);
    this.#leave?.();
    this.#leave = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    speak(this, changed);
    if (changed.has("server") || changed.has("getToken")) {
      this.#follow();
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    this.#look();
    this.#showDrawer(changed);
    const layer = this.renderRoot.querySelector<HTMLElement>(".toasts");
    if (layer) {
      // Keeps toasts off the bell, which can be at the bottom of the page.
      layer.classList.toggle("at-top", this.getBoundingClientRect().top > innerHeight / 2);
      const newest = toastStack.toasts.at(-1);
      raise(layer, newest !== this.#raised);
      this.#raised = newest;
    }
  }

  #showDrawer(changed: PropertyValues<this>): void {
    if (!changed.has("open")) {
      return;
    }
    toastStack.look();
    if (this.open) {
      this.#drawer?.showModal();
    } else if (this.#drawer?.open) {
      this.#drawer.close();
    }
  }

  protected override render() {
    const counts = this.#session?.counts;
    const unread = counts ? totalOf(counts.unread) : 0;
    const worst = SEVERITIES.find((severity) => (counts?.unread[severity] ?? 0) > 0);
    const isShown = toastStack.toasts.length > 0 && toastStack.isShownBy(this);
    const shown = isShown
      ? toasts(toastStack.toasts, (event) => toastStack.dismiss(event))
      : nothing;
    return html`
      <button
        class="plain bell ${worst ?? ""}"
        aria-label=${strings.bell.label(unread)}
        aria-haspopup=${this.noDrawer ? nothing : "dialog"}
        @click=${() => this.#clicked()}
      >
        ${bellIcon()}
        ${unread > 0
          ? html`<span class="badge" aria-hidden="true"
              >${unread > BADGE ? strings.bell.more : unread}</span
            >`
          : nothing}
      </button>
      <dialog
        class="drawer"
        aria-label=${strings.title}
        @close=${() => {
          this.open = false;
        }}
        @click=${(click: MouseEvent) => {
          // Places toasts beside the drawer, on its backdrop.
          if (click.target === this.#drawer) {
            this.open = false;
          }
        }}
      >
        ${this.open
          ? html`<tidings-inbox
              .server=${this.server}
              .getToken=${this.getToken}
              .eventLink=${this.eventLink}
              .resolveLink=${this.resolveLink}
              .hostActions=${this.hostActions}
              theme=${this.theme ?? nothing}
            >
              <button
                slot="actions"
                class="plain"
                title=${strings.bell.close}
                aria-label=${strings.bell.close}
                @click=${() => {
                  this.open = false;
                }}
              >
                ${closeIcon()}
              </button>
            </tidings-inbox>`
          : nothing}
        ${this.open ? shown : nothing}
      </dialog>
      ${this.open ? nothing : shown}
      <div class="hidden-text" role="log">${this.spoken}</div>
    `;
  }

  #follow(): void {
    this.#leave?.();
    const session = sessionOf(this.server, this.getToken);
    this.#session = session;
    const herald = new Herald({
      toast: (event) => this.#toast(event),
      desktop: (event) =>
        tell(spokenOf(event), titleOf(event), eventKey(event), () => void this.#openEvent(event)),
    });
    this.#leave = session.listen({
      frame: (frame) => {
        herald.take(frame);
        // While the drawer is open, its inbox tells the page.
        const told = session.state === "live" && !this.open ? toldToHost(frame) : undefined;
        if (told) {
          const [name, detail] = told;
          this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
        }
      },
      changed: () => {
        if (session.state === "signed-out") {
          // The next user of this browser must not see them.
          toastStack.forget(this);
        }
        this.requestUpdate();
      },
    });
    // The session's state records failures, and the inbox shows them.
    session.open().catch(() => undefined);
  }

  #clicked(): void {
    this.dispatchEvent(
      new CustomEvent("tidings-open", { detail: null, bubbles: true, composed: true }),
    );
    if (!this.noDrawer) {
      this.open = true;
    }
  }

  async #openEvent(event: Event): Promise<void> {
    toastStack.dismiss(event);
    if (this.noDrawer) {
      this.dispatchEvent(
        new CustomEvent("tidings-open", { detail: event, bubbles: true, composed: true }),
      );
      return;
    }
    this.open = true;
    await this.updateComplete;
    const inbox = this.shadowRoot?.querySelector("tidings-inbox");
    await inbox?.updateComplete;
    inbox?.openEvent(eventKey(event));
  }

  #toast(event: Event): void {
    this.spoken = spokenOf(event);
    toastStack.add({ event, host: this, open: () => void this.#openEvent(event) });
    if (!URGENT.includes(event.severity)) {
      setTimeout(() => toastStack.expire(event), TOAST_TIME);
    }
  }

  /** Checks the contrast again when a color around the bell may have changed. */
  #watch(): void {
    for (const element of around(this)) {
      this.#around.observe(element, { attributeFilter: ["class", "style", "data-theme"] });
    }
    this.#scheme ??= matchMedia("(prefers-color-scheme: dark)");
    this.#scheme.addEventListener("change", this.#look);
    addEventListener("transitionend", this.#look);
  }

  /** Adjusts the colors of the bell and its badge to the background behind them. */
  readonly #look = (): void => {
    const button = this.renderRoot.querySelector<HTMLElement>(".bell");
    if (!button) {
      return;
    }
    button.style.removeProperty("--t-bell");
    const seen = seenAt(this);
    button.style.colorScheme = seen ? (seen.isDark ? "dark" : "light") : "";
    if (seen && !seen.standsOut(getComputedStyle(button).color)) {
      button.style.setProperty("--t-bell", seen.isDark ? "#fff" : "#000");
    }
    button.style.setProperty("--t-ring", getComputedStyle(button).color);
    const badge = button.querySelector(".badge");
    const isSeen = badge && seen?.standsOut(getComputedStyle(badge).backgroundColor);
    button.classList.toggle("is-ringed", badge !== null && !isSeen);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-bell": TidingsBell;
  }
}
