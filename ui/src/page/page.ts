import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";

import { ApiError } from "../api/error.js";
import { type Event, eventKey, linkName } from "../api/event.js";
import { type EventFilter, filterOf, isSame, queryOf } from "../api/filter.js";
import "../components/bell.js";
import "../components/inbox.js";
import { bellIcon } from "../components/icons.js";
import type { TidingsInbox } from "../components/inbox.js";
import { look, theme } from "../components/look.js";
import { sessionOf } from "../inbox/session.js";
import { totalOf } from "../stream/counts.js";
import { pageStrings } from "../strings/page.js";
import { strings } from "../strings/strings.js";
import "./sign-in.js";
import "./welcome.js";

/** The authentication mode, written into the page by the server. */
const hasLogin =
  document.querySelector<HTMLMetaElement>('meta[name="tidings-login"]')?.content === "token";

/** The server's own page: the inbox, a welcome text if it is empty, and a sign-in form. */
@customElement("tidings-page")
export class TidingsPage extends LitElement {
  @state() private filter: EventFilter = filterOf(new URLSearchParams(location.search));
  @state() private isSignedOut = false;
  /** Whether a user was signed in before. */
  @state() private wasSignedIn = false;

  readonly #eventId = new URLSearchParams(location.search).get("event") ?? undefined;
  /** The event that is open. */
  #event: string | undefined;
  readonly #session = sessionOf("", undefined);
  #leave: (() => void) | undefined;

  static override styles = [
    theme,
    look,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        height: 100dvh;
        background: var(--t-raised);
      }
      header {
        display: flex;
        align-items: center;
        gap: 0.625rem;
        padding: 0.25rem 1rem;
        border-bottom: 1px solid var(--t-line);
        background: var(--t-surface);
      }
      header h1 {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        margin: 0;
        flex: 1;
        font-size: 1rem;
        font-weight: 700;
        letter-spacing: 0.01em;
      }
      header h1 svg {
        color: var(--t-accent);
      }
      main {
        min-height: 0;
        width: 100%;
        max-width: 64rem;
        margin-inline: auto;
      }
      @media print {
        :host {
          display: block;
          height: auto;
        }
        tidings-bell {
          display: none;
        }
      }
      tidings-inbox {
        border-inline: 1px solid var(--t-line);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.#back);
    this.#leave = this.#session.listen({ changed: () => this.#changed() });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("popstate", this.#back);
    this.#leave?.();
  }

  protected override render() {
    return html`
      <header>
        <h1>${bellIcon()} Tidings</h1>
        ${hasLogin && !this.isSignedOut
          ? html`<button class="action" @click=${() => void this.#signOut()}>
              ${pageStrings.signIn.out}
            </button>`
          : nothing}
        <tidings-bell
          no-drawer
          @tidings-open=${(event: CustomEvent<Event | null>) => this.#opened(event)}
        ></tidings-bell>
      </header>
      <main>
        ${this.isSignedOut
          ? html`<tidings-sign-in
              ?again=${this.wasSignedIn}
              @signed-in=${() => void this.#signedIn()}
            ></tidings-sign-in>`
          : html`<tidings-inbox
              page-keys
              .filter=${this.filter}
              .eventId=${this.#eventId}
              @tidings-open=${(event: CustomEvent<Event>) => this.#shows(linkName(event.detail))}
              @tidings-close=${() => this.#shows(undefined)}
              @tidings-filter=${(event: CustomEvent<EventFilter>) => this.#filtered(event.detail)}
            >
              <tidings-welcome slot="empty" ?login=${hasLogin}></tidings-welcome>
            </tidings-inbox>`}
      </main>
    `;
  }

  #changed(): void {
    const isSignedOut = this.#session.state === "signed-out";
    if (this.#session.state === "live") {
      this.wasSignedIn = true;
    }
    this.isSignedOut = isSignedOut;
    const { counts } = this.#session;
    const unread = counts && !isSignedOut ? totalOf(counts.unread) : 0;
    document.title = unread > 0 ? `(${strings.number(unread)}) Tidings` : "Tidings";
  }

  #opened(event: CustomEvent<Event | null>): void {
    if (event.detail) {
      this.renderRoot.querySelector<TidingsInbox>("tidings-inbox")?.openEvent(eventKey(event.detail));
    } else {
      this.#filtered({ status: "unread" });
    }
  }

  #filtered(filter: EventFilter): void {
    // Otherwise each pause of the user while they type would be a step of the Back button.
    const isTyped =
      Boolean(this.filter.search && filter.search) &&
      isSame({ ...this.filter, search: "" }, { ...filter, search: "" });
    this.filter = filter;
    this.#address(!isTyped);
  }

  #shows(event: string | undefined): void {
    this.#event = event;
    this.#address(false);
  }

  /** Writes the view into the address. */
  #address(isStep: boolean): void {
    const query = queryOf(this.filter);
    if (this.#event !== undefined) {
      query.set("event", this.#event);
    }
    const address = new URL(location.href);
    if (address.searchParams.toString() === query.toString()) {
      return;
    }
    address.search = query.toString();
    if (isStep) {
      history.pushState(null, "", address);
    } else {
      history.replaceState(null, "", address);
    }
  }

  async #signedIn(): Promise<void> {
    this.isSignedOut = false;
    await this.#session.restart();
  }

  async #signOut(): Promise<void> {
    await this.renderRoot.querySelector<TidingsInbox>("tidings-inbox")?.settle();
    try {
      await this.#session.client.signOut();
    } catch (error) {
      if (!(error instanceof ApiError && error.isSignedOut)) {
        // The user is still signed in, so the page must not claim otherwise.
        return;
      }
    }
    this.wasSignedIn = false;
    await this.#session.restart();
  }

  readonly #back = (): void => {
    const query = new URLSearchParams(location.search);
    this.filter = filterOf(query);
    const event = query.get("event") ?? undefined;
    const inbox = this.renderRoot.querySelector<TidingsInbox>("tidings-inbox");
    if (inbox && event !== this.#event) {
      this.#event = event;
      inbox.closeEvent();
      inbox.eventId = event;
    }
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-page": TidingsPage;
  }
}
