import { LitElement, type PropertyValues, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { GetToken } from "../api/credential.js";
import { ApiError } from "../api/error.js";
import { type EventFilter, copyOf, isSame, keyOf } from "../api/filter.js";
import { type Event, type EventKey, eventKey, meantBy } from "../api/event.js";
import { Inbox } from "../inbox/inbox.js";
import type { Line } from "../inbox/lines.js";
import { type Session, sessionOf } from "../inbox/session.js";
import { type Settings, readSettings, writeSettings } from "../inbox/settings.js";
import { askToTell, canTell } from "../notify/desktop.js";
import { toldToHost } from "../stream/frame.js";
import { type PartialStrings, strings } from "../strings/strings.js";
import { adoptReactProps } from "./adopt.js";
import { Attention } from "./attention.js";
import type { DialogKind } from "./dialogs.js";
import "./filter-bar.js";
import { connection, countsOf } from "./head.js";
import { gearIcon, helpIcon } from "./icons.js";
import { inboxStyles } from "./inbox-styles.js";
import { keyAction } from "./keys.js";
import { speak, translate } from "./language.js";
import { loadDialogs } from "./later.js";
import type { Links } from "./links.js";
import type { TidingsList } from "./list.js";
import "./list.js";
import { look, severityColors, theme } from "./look.js";
import { noticeStyles, notices } from "./notices.js";
import { strip, stripStyles } from "./strip.js";
import { reasonsOf } from "./words.js";

/** How long the "list has been refreshed" notice is shown, in milliseconds. */
const SAID = 6_000;

/**
 * A user's live inbox: read, search, mark and delete notifications.
 *
 * @attr server - the server's address; default: the page's origin
 * @attr theme - `light` or `dark`; default: the browser's preference
 * @attr locale - the language of numbers and times, for all elements of the page; default: that of the texts
 * @attr page-keys - shortcuts also work outside of the inbox, except in fields and dialogs, for a page that only shows the inbox
 * @attr host-actions - the page runs actions of events that have no address itself, on `tidings-action`
 * @prop getToken - returns the token for each request; default: the session cookie
 * @prop strings - the texts that replace the English ones, for all elements of the page
 * @prop filter - selects the events to show
 * @prop eventLink - returns the address that "Copy link" copies for an event; default: that of the server's own page
 * @prop resolveLink - returns the address that a text of the metadata leads to in the host page
 * @slot title - replaces the title
 * @slot empty - shown if the inbox has no events
 * @slot signed-out - shown instead of the list while the user is signed out
 * @slot actions - further buttons beside the settings
 * @fires {CustomEvent<Event>} tidings-event - a new event arrived live; the detail is the event. Not fired for replayed events
 * @fires {CustomEvent<Event>} tidings-update - an event was updated by its publisher; the detail is the event as it is now
 * @fires {CustomEvent<Event>} tidings-open - the reader opened an event; the detail is the event
 * @fires {CustomEvent<{ action: TidingsAction, event: Event }>} tidings-action - the reader chose an action that an event offers; preventing the default keeps the browser from following its address
 * @fires {CustomEvent<null>} tidings-close - the open event was closed, by the reader or because it is gone; the detail is null
 * @fires {CustomEvent<EventFilter>} tidings-filter - the reader changed the filter; the detail is the filter
 * @fires {CustomEvent<{ state: StreamState }>} tidings-state - the connection state changed; the detail is `{ state }`
 */
@customElement("tidings-inbox")
export class TidingsInbox extends LitElement {
  @property() server = "";
  @property({ reflect: true }) theme: string | null = null;
  @property({ type: Boolean, attribute: "page-keys" }) pageKeys = false;
  @property({ attribute: false }) getToken: GetToken | undefined;
  @property({ attribute: false }) eventLink: Links["eventLink"];
  @property({ attribute: false }) resolveLink: Links["resolveLink"];
  @property({ type: Boolean, attribute: "host-actions" }) hostActions = false;
  @property({ attribute: false }) strings: PartialStrings | null | undefined;
  @property() locale: string | null | undefined;
  /** The event to open once it is loaded. It stays unread, because following a link must not change data. */
  @property({ attribute: false }) eventId: string | undefined;

  @state() private version = 0;
  @state() private settings = readSettings();
  /** The open dialog, or the one that was open last. */
  @state() private dialog: DialogKind | undefined;
  @state() private isDenied = false;
  @state() private isOffline = !navigator.onLine;
  @state() private said = "";
  @state() private arrived = "";
  /** The day of the first visible row. */
  @state() private day = "";

  #filter: EventFilter = {};
  /** The last filter set by the host page; the reader may have changed the filter since. */
  #given = keyOf({});
  #inbox: Inbox | undefined;
  #leave: (() => void) | undefined;
  #state: string | undefined;
  #held = 0;
  readonly #attention = new Attention(() => this.#inbox?.lookedAway());
  #hasList = false;
  #wantsList = false;
  /** The event to show while its operation is loaded, and whether the reader asked for it. */
  #sought: { readonly name: string; readonly isByReader: boolean } | undefined;

  static override styles = [
    theme,
    look,
    severityColors,
    noticeStyles,
    inboxStyles,
    stripStyles,
  ];

  constructor() {
    super();
    translate(this, true);
  }

  /**
   * Selects the events to show. A host that re-renders sets an equal filter again; that must not
   * undo the reader's own choice.
   */
  @property({ attribute: false })
  get filter(): EventFilter {
    return this.#filter;
  }

  set filter(filter: EventFilter | null | undefined) {
    const given = copyOf(filter ?? {});
    const key = keyOf(given);
    if (key !== this.#given) {
      this.#given = key;
      this.#filter = isSame(given, this.#filter) ? this.#filter : given;
    }
  }

  private get list(): TidingsList | null {
    return this.shadowRoot?.querySelector("tidings-list") ?? null;
  }

  get #session(): Session {
    return sessionOf(this.server, this.getToken);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.hasUpdated) {
      adoptReactProps(this);
    }
    addEventListener("pagehide", this.#hide);
    addEventListener("online", this.#network);
    addEventListener("offline", this.#network);
    this.addEventListener("keydown", this.#key);
    addEventListener("keydown", this.#pageKey);
    this.addEventListener("operation", this.#operation as EventListener);
    this.addEventListener("choice", this.#choice);
    if (this.hasUpdated) {
      this.#open();
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("pagehide", this.#hide);
    removeEventListener("online", this.#network);
    removeEventListener("offline", this.#network);
    this.removeEventListener("keydown", this.#key);
    removeEventListener("keydown", this.#pageKey);
    this.removeEventListener("operation", this.#operation as EventListener);
    this.removeEventListener("choice", this.#choice);
    this.#close();
  }

  /** Reloads the list and reconnects after a sign-in elsewhere. */
  async refresh(): Promise<void> {
    await this.#session.restart();
  }

  /** Sends the deletions that can still be undone and waits for the responses. Call it before a sign-out. */
  async settle(): Promise<void> {
    await this.#inbox?.settle();
  }

  /**
   * Shows an event that the reader asked for, and loads it if it is not in the list. `name` is an id, with
   * `system:` before it for the system's event if the user has one with this id, too.
   */
  openEvent(name: string): void {
    this.#openLine(name, true);
  }

  /** Closes the open event, if any. */
  closeEvent(): void {
    this.list?.closeOpen();
  }

  #openLine(name: string, isByReader: boolean): void {
    const [key, line] = this.#lineOf(name) ?? [];
    if (key && line && this.list) {
      this.#sought = undefined;
      if (this.list.opened !== key) {
        this.list.toggle(line, isByReader);
      }
      void this.list.focusOn(key);
    } else if (this.#sought?.name === name) {
      // The operation is in the list, but this step of it is not loaded.
      this.#sought = undefined;
      this.#say(strings.list.notLoaded);
    } else {
      void this.#show(name, isByReader);
    }
  }

  /** The line of the event that a name means. */
  #lineOf(name: string): [EventKey, Line] | undefined {
    const lines = this.#inbox?.lines ?? [];
    for (const key of meantBy(name)) {
      const line = lines.find((each) => eventKey(each.event) === key);
      if (line) {
        return [key, line];
      }
    }
    return undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    speak(this, changed);
    if (changed.has("server") || changed.has("getToken")) {
      this.#close();
      this.#open();
    } else if (this.#inbox && !isSame(this.#inbox.filter, this.filter)) {
      this.#inbox.show(this.filter);
      this.list?.scrollToTop();
    }
  }

  protected override updated(): void {
    this.#attention.watch(this.shadowRoot?.querySelector(".body"));
    if (this.#hasList !== (this.list !== null)) {
      this.#hasList = !this.#hasList;
      this.#attention.appeared();
    }
    if (this.#wantsList && this.list && this.#inbox?.loading === "idle") {
      this.#wantsList = false;
      this.list.focus();
    }
    if (this.eventId && this.#inbox?.loading === "idle") {
      const name = this.eventId;
      this.eventId = undefined;
      this.#openLine(name, this.#sought?.name === name && this.#sought.isByReader);
    }
  }

  protected override render() {
    const inbox = this.#inbox;
    if (!inbox) {
      return nothing;
    }
    return html`
      <div class="head">
        <div class="bar">
          <h2><slot name="title">${strings.title}</slot></h2>
          <span class="counts"><bdi>${countsOf(inbox)}</bdi></span>
          ${connection(inbox, this.isOffline)}
          <button
            class="plain"
            title=${strings.help.open}
            aria-label=${strings.help.open}
            @click=${() => void this.#openDialog("help")}
          >
            ${helpIcon()}
          </button>
          <button
            class="plain"
            title=${strings.settings.open}
            aria-label=${strings.settings.open}
            @click=${() => void this.#openDialog("settings")}
          >
            ${gearIcon()}
          </button>
          <slot name="actions"></slot>
        </div>
        <tidings-filter-bar
          .filter=${this.filter}
          .counts=${inbox.session.counts}
          .loadTypes=${() => inbox.session.client.types()}
          @filter=${(event: CustomEvent<EventFilter>) => this.#filtered(event.detail)}
          @seek=${(event: CustomEvent<string>) => void this.#seek(event.detail)}
          @leave=${() => this.#goToList()}
        ></tidings-filter-bar>
        ${this.said ? html`<div class="banner" role="status">${this.said}</div>` : nothing}
      </div>
      <div class="body">
        ${strip(inbox, this.day, {
          release: () => this.#release(),
          chooseAll: () => this.#chooseAll(),
          act: (act) => this.#act(act),
        })}
        ${this.#body(inbox)} ${notices(inbox)}
      </div>
      <div class="hidden-text" aria-live="polite">${this.arrived}</div>
      ${this.dialog
        ? html`<tidings-dialog
            .kind=${this.dialog}
            .settings=${this.settings}
            .isDenied=${this.isDenied}
            @settings=${(event: CustomEvent<Settings>) => void this.#set(event.detail)}
          ></tidings-dialog>`
        : nothing}
    `;
  }

  #body(inbox: Inbox) {
    if (inbox.session.state === "signed-out") {
      // The rows of the user before are not for the next one.
      return html`<div class="empty">
        <slot name="signed-out"
          ><h3>${strings.state["signed-out"]}</h3>
          <p>${strings.list.signedOutHint}</p>
          <button class="action" @click=${() => void this.refresh()}>${strings.list.again}</button></slot
        >
      </div>`;
    }
    if (inbox.lines.length > 0) {
      return html`<tidings-list
        class=${inbox.loading === "first" ? "is-old" : ""}
        .inbox=${inbox}
        .links=${this}
        .version=${this.version}
        .onOpened=${(line: Line, isByReader: boolean) => this.#opened(line, isByReader)}
        .onDay=${(day: string) => {
          this.day = day;
        }}
        .onClosed=${() => this.#fire("tidings-close", null)}
      ></tidings-list>`;
    }
    if (inbox.loading === "first" || inbox.loading === "more") {
      return html`<div class="skeleton" aria-label=${strings.list.loading} role="status">
        ${Array.from({ length: 6 }, () => html`<i></i>`)}
      </div>`;
    }
    if (inbox.loading === "failed") {
      return html`<div class="empty">
        <h3>${strings.list.failed}</h3>
        <p>${inbox.fault && reasonsOf(inbox.fault.error)[0]}</p>
        <button class="action" @click=${() => void inbox.retry()}>${strings.list.again}</button>
      </div>`;
    }
    if (Object.keys(this.filter).length > 0) {
      return html`<div class="empty">
        <h3>${strings.list.noMatch}</h3>
        <p>
          <button class="action" @click=${() => this.#filtered({})}>
            ${strings.list.clearFilters}
          </button>
        </p>
      </div>`;
    }
    return html`<div class="empty">
      <slot name="empty"
        ><h3>${strings.list.nothing}</h3>
        <p>${strings.list.nothingHint}</p></slot
      >
    </div>`;
  }

  #open(): void {
    const session = this.#session;
    this.#inbox = new Inbox(session, () => this.#changed());
    this.#inbox.isWatched = () => this.list !== null && this.#attention.isHere;
    this.#leave = session.listen({
      frame: (frame) => {
        const told = session.state === "live" ? toldToHost(frame) : undefined;
        if (told) {
          this.#fire(...told);
        }
      },
      reload: (why) => this.#sayReloaded(why),
    });
    this.#inbox.open(this.filter);
  }

  #close(): void {
    this.#inbox?.close();
    this.#inbox = undefined;
    this.#leave?.();
    this.#leave = undefined;
  }

  #changed(): void {
    this.version += 1;
    const inbox = this.#inbox;
    if (!inbox) {
      return;
    }
    const { state } = inbox.session;
    if (state !== this.#state) {
      this.#state = state;
      this.#fire("tidings-state", { state });
    }
    if (inbox.held > this.#held) {
      this.arrived = strings.list.arrived(inbox.held);
    }
    this.#held = inbox.held;
  }

  /** Only for updates missed by a visible list, not after a sign-in. */
  #sayReloaded(why: "missed" | "restarted"): void {
    if (why === "missed" && this.#inbox && this.#inbox.lines.length > 0) {
      this.#say(strings.state.reloaded);
    }
  }

  #say(text: string): void {
    this.said = text;
    setTimeout(() => {
      this.said = "";
    }, SAID);
  }

  #opened(line: Line, isByReader: boolean): void {
    this.#fire("tidings-open", line.event);
    // A link is not an action of the reader: another site may have opened it.
    if (isByReader && this.settings.readOnOpen) {
      void this.#inbox?.markOpened(line);
    }
  }

  /** Finds the event of a link; it can be far down or excluded by the filter. */
  async #show(name: string, isByReader: boolean): Promise<void> {
    const inbox = this.#inbox;
    if (!inbox) {
      this.eventId = name;
      return;
    }
    try {
      const event = await inbox.session.client.get(name);
      if (!inbox.isOperationOpen(event.operationId)) {
        inbox.toggleOperation(event.operationId);
      }
      this.#filtered({ operationId: event.operationId });
      this.eventId = eventKey(event);
      this.#sought = { name: this.eventId, isByReader };
    } catch (error) {
      this.#sought = undefined;
      this.#say(
        error instanceof ApiError && error.status === 404 ? strings.list.gone : strings.list.failed,
      );
    }
  }

  /** Shows the event or the operation with an id; otherwise the events whose text has it. */
  async #seek(id: string): Promise<void> {
    const { client } = this.#session;
    const steps = client.list({ operationId: id }, { size: 1 }).catch(() => undefined);
    if (await client.get(id).catch(() => undefined)) {
      this.openEvent(id);
    } else {
      this.#filtered((await steps)?.events.length ? { operationId: id } : { search: id });
    }
  }

  #filtered(filter: EventFilter): void {
    this.#filter = filter;
    this.requestUpdate();
    this.#fire("tidings-filter", filter);
  }

  #release(): void {
    this.#inbox?.release();
    this.list?.scrollToTop();
  }

  /** Applies an action to the selection. Its buttons disappear, so the list takes the focus. */
  #act(act: () => void): void {
    act();
    this.version += 1;
    this.#goToList();
  }

  /** Focuses the list as soon as it is rendered. */
  #goToList(): void {
    this.#wantsList = true;
    this.requestUpdate();
  }

  #chooseAll(): void {
    this.#inbox?.chooseAll();
    this.version += 1;
  }

  #chooseNone(): void {
    this.#inbox?.chooseNone();
    this.version += 1;
  }

  async #openDialog(kind: DialogKind): Promise<void> {
    if (!(await loadDialogs())) {
      this.#say(strings.settings.failed);
      return;
    }
    this.settings = readSettings();
    this.dialog = kind;
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("tidings-dialog");
    await dialog?.updateComplete;
    dialog?.show();
  }

  async #set(settings: Settings): Promise<void> {
    const wantsDesktop = settings.desktop.length > this.settings.desktop.length;
    this.isDenied = wantsDesktop && !((await askToTell()) && canTell());
    this.settings = this.isDenied ? { ...settings, desktop: [] } : settings;
    writeSettings(this.settings);
  }

  #fire(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  readonly #hide = (): void => {
    this.#inbox?.removals.flush(true);
  };

  readonly #network = (): void => {
    this.isOffline = !navigator.onLine;
  };

  readonly #operation = (event: CustomEvent<string>): void => {
    this.#inbox?.toggleOperation(event.detail);
    this.#filtered({ operationId: event.detail });
  };

  readonly #choice = (): void => {
    this.version += 1;
  };

  readonly #pageKey = (key: KeyboardEvent): void => {
    // Inside the inbox, its own listener takes the key.
    if (this.pageKeys && !key.composedPath().includes(this)) {
      this.#key(key);
    }
  };

  readonly #key = (key: KeyboardEvent): void => {
    const { list } = this;
    const inbox = this.#inbox;
    const action = this.settings.keys || key.key === "Escape" ? keyAction(key, this) : undefined;
    if (!action || !inbox) {
      return;
    }
    const line = list?.active;
    const acts: Record<typeof action, () => void> = {
      next: () => void list?.move(1),
      previous: () => void list?.move(-1),
      toggle: () => line && list.toggle(line),
      mark: () => {
        if (!inbox.choice.isEmpty) {
          this.#act(() => void inbox.markChosen(inbox.isUnreadChosen ? "read" : "unread"));
        } else if (line) {
          void inbox.mark(line, line.unread > 0 ? "read" : "unread");
        }
      },
      remove: () =>
        inbox.choice.isEmpty ? line && list.removeLine(line) : this.#act(() => inbox.removeChosen()),
      choose: () => line && list.choose(line, false),
      extend: () => line && list.choose(line, true),
      chooseAll: () => this.#chooseAll(),
      undo: () => inbox.removals.undo(),
      older: () => line && inbox.toggleOperation(line.event.operationId),
      search: () => this.shadowRoot?.querySelector("tidings-filter-bar")?.focusSearch(),
      release: () => this.#release(),
      help: () => void this.#openDialog("help"),
      escape: () => {
        if (!list?.closeOpen()) {
          this.#chooseNone();
        }
      },
    };
    const hasNothingToClose = list?.opened === undefined && inbox.choice.isEmpty;
    if (action === "escape" && hasNothingToClose) {
      // The key belongs to the surrounding drawer.
      return;
    }
    key.preventDefault();
    acts[action]();
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-inbox": TidingsInbox;
  }
}

/** A DOM event of this element for the host page. */
export type TidingsOpenEvent = CustomEvent<Event>;
