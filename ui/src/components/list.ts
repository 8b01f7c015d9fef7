import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { type EventKey, eventKey } from "../api/event.js";
import type { Inbox } from "../inbox/inbox.js";
import type { Line } from "../inbox/lines.js";
import { strings } from "../strings/strings.js";
import { translate } from "./language.js";
import { hasDetailScript, loadDetailScript } from "./later.js";
import { type Links, linkTo } from "./links.js";
import { look, severityColors } from "./look.js";
import { plainDetail, plainDetailStyles } from "./plain-detail.js";
import { type RowActions, type RowState, row, rowStyles } from "./row.js";
import { dayOf } from "./time.js";
import { VirtualRows } from "./virtual.js";

/** The assumed height of a row before it is measured, in pixels. */
const ROW_HEIGHT = 52;

/** The next page is requested when this number of loaded rows is left below the viewport. */
const AHEAD = 30;

/** The distance from the top that counts as the top, in pixels. */
const TOP = 8;

/** The time to wait for the detail script before the plain view is shown, in milliseconds. */
const LATE = 200;

/** The refresh interval of relative times, in milliseconds. */
const TICK = 10_000;

/**
 * The virtualized rows of an inbox: only visible rows are in the document.
 *
 * Computed styles are set as properties, because a strict CSP forbids style attributes.
 */
@customElement("tidings-list")
export class TidingsList extends LitElement {
  @property({ attribute: false }) inbox!: Inbox;
  @property({ attribute: false }) links: Links = {};
  @property({ attribute: false }) onOpened: (line: Line, isByReader: boolean) => void = () =>
    undefined;
  @property({ attribute: false }) onClosed: () => void = () => undefined;
  /** Called with the day of the first visible line. */
  @property({ attribute: false }) onDay: (day: string) => void = () => undefined;
  /** Increases with each change of the inbox. */
  @property({ type: Number }) version = 0;

  @state() private openKey: EventKey | undefined;
  @state() private activeKey: EventKey | undefined;
  /** Whether the detail script is loaded, pending or missing. */
  @state() private detail: "absent" | "loading" | "late" | "failed" | "ready" = hasDetailScript()
    ? "ready"
    : "absent";

  /** The lines that the virtualizer has. */
  #lines: readonly Line[] | undefined;
  readonly #virtual = new VirtualRows(this, {
    scroller: () => this.#scroller,
    estimate: ROW_HEIGHT,
    overscan: 8,
  });
  #ticking: ReturnType<typeof setInterval> | undefined;
  #wasLive = false;
  /** The line under the pointer. */
  #under: EventKey | undefined;
  /** The deletions and the filter at the last render. */
  #shown: readonly unknown[] = [];
  /** The space above the first row, in pixels. It replaces removed rows while the pointer is over others. */
  #gap = 0;

  static override styles = [
    look,
    severityColors,
    rowStyles,
    plainDetailStyles,
    css`
      :host {
        display: block;
        min-height: 0;
        position: relative;
      }
      .scroller {
        height: 100%;
        overflow: auto;
        contain: strict;
        container-type: inline-size;
        overscroll-behavior: contain;
      }
      .all {
        position: relative;
        width: 100%;
      }
      .line {
        position: absolute;
        inset-inline: 0;
        top: 0;
      }
      .detail {
        border-bottom: 1px solid var(--t-line);
        padding-block-end: 1rem;
        padding-inline: 3.75rem 1rem;
      }
      .day {
        margin: 0;
        padding: 0.625rem 0.75rem 0.25rem;
        border-bottom: 1px solid var(--t-line);
        font-size: 0.8125rem;
        font-weight: 650;
        color: var(--t-muted);
      }
      .end {
        color: var(--t-muted);
        text-align: center;
        padding: 1rem;
        margin: 0;
      }
      @media print {
        .scroller {
          height: auto;
          contain: none;
          overflow: visible;
        }
        .all {
          height: auto !important;
        }
        .line {
          position: static;
          transform: none !important;
          break-inside: avoid-page;
        }
        .end {
          display: none;
        }
      }
      @container (max-width: 30rem) {
        .detail {
          padding-inline: 0.75rem;
        }
      }
    `,
  ];

  constructor() {
    super();
    translate(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ticking = setInterval(() => this.requestUpdate(), TICK);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
    this.inbox.isAtTop = true;
    if (this.openKey !== undefined) {
      this.onClosed();
    }
  }

  get #scroller(): HTMLElement | null | undefined {
    return this.shadowRoot?.querySelector<HTMLElement>(".scroller");
  }

  /** The line that shortcuts act on. */
  get active(): Line | undefined {
    const { lines } = this.inbox;
    return lines.find((line) => eventKey(line.event) === this.activeKey);
  }

  get opened(): EventKey | undefined {
    return this.openKey;
  }

  /** Moves to the next or previous line; the first call enters the list. */
  async move(by: 1 | -1): Promise<void> {
    const { lines } = this.inbox;
    const index = lines.findIndex((line) => eventKey(line.event) === this.activeKey);
    const isInside = this.shadowRoot?.activeElement !== null;
    const wanted = isInside ? index + by : index;
    const next = lines[Math.min(Math.max(wanted, 0), lines.length - 1)];
    if (next) {
      await this.focusOn(eventKey(next.event));
    }
  }

  /** Scrolls a line into view and focuses it. */
  async focusOn(key: EventKey): Promise<void> {
    const index = this.inbox.lines.findIndex((line) => eventKey(line.event) === key);
    if (index < 0) {
      return;
    }
    this.activeKey = key;
    // The rows on the way are measured once they are rendered, so the row can be elsewhere then.
    for (let tries = 0; tries < 10; tries += 1) {
      this.#virtual.scrollTo(index);
      await this.updateComplete;
      const title = this.#titleOf(key);
      if (title) {
        title.focus({ preventScroll: tries === 0 });
        return;
      }
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  /** Opens or closes an event. `byReader` is false for a link, which anyone may have made. */
  toggle(line: Line, isByReader = true): void {
    const isOpen = this.openKey === eventKey(line.event);
    this.openKey = isOpen ? undefined : eventKey(line.event);
    this.activeKey = eventKey(line.event);
    if (!isOpen) {
      void this.#loadDetail();
      void this.inbox.askForSteps(line);
      this.onOpened(line, isByReader);
    }
    this.#scrolled();
  }

  /** Closes the open event and returns whether one was open. */
  closeOpen(): boolean {
    const wasOpen = this.openKey !== undefined;
    this.openKey = undefined;
    this.#scrolled();
    return wasOpen;
  }

  scrollToTop(): void {
    this.#scroller?.scrollTo({ top: 0 });
  }

  override focus(): void {
    const first = this.activeKey ?? keyOf(this.inbox.lines[0]);
    if (first) {
      void this.focusOn(first);
    }
  }

  protected override willUpdate(): void {
    const isLive = this.inbox.session.state === "live";
    if (isLive && !this.#wasLive && this.detail === "failed" && this.openKey !== undefined) {
      // The server is reachable again.
      void this.#loadDetail();
    }
    this.#wasLive = isLive;
    const { lines } = this.inbox;
    if (!lines.some((line) => eventKey(line.event) === this.activeKey)) {
      this.activeKey = keyOf(lines[0]);
    }
    if (this.openKey && !lines.some((line) => eventKey(line.event) === this.openKey)) {
      // The open event no longer exists.
      this.openKey = undefined;
      this.#scrolled();
    }
    if (lines !== this.#lines) {
      const known = this.#lines ?? [];
      this.#lines = lines;
      const before = this.#startOf(known);
      this.#virtual.set(lines.length, (index) => keyOf(lines[index]) ?? String(index));
      this.#keepStill(before);
    }
  }

  protected override render() {
    const { lines } = this.inbox;
    const actions = this.#actions();
    return html`
      <div
        class="scroller"
        @scroll=${() => {
          this.#virtual.scrolled();
          this.#scrolled();
        }}
        @pointerover=${(event: PointerEvent) => this.#pointed(event)}
        @pointerleave=${() => this.#left()}
      >
        <div
          class="all"
          role="list"
          aria-label=${strings.list.label}
          .style=${`height: ${this.#virtual.total}px`}
        >
          ${repeat(
            this.#virtual.rows,
            ({ index }) => keyOf(lines[index]),
            ({ index, start }) => {
              const line = lines[index];
              return line ? this.#line(line, index, start, actions) : nothing;
            },
          )}
        </div>
        <p class="end">
          ${this.inbox.loading === "more" ? strings.list.loading : nothing}
          ${this.inbox.loading === "idle" && !this.inbox.hasMore && lines.length > 0
            ? strings.list.end
            : nothing}
        </p>
      </div>
    `;
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.get("openKey") !== undefined && this.openKey === undefined) {
      this.onClosed();
    }
    const first = this.#virtual.at(this.#scroller?.scrollTop ?? 0);
    this.onDay(this.#dayOf(first) ?? "");
    const last = this.#virtual.rows.at(-1)?.index ?? -1;
    if (this.inbox.hasMore && last >= this.inbox.lines.length - AHEAD) {
      void this.inbox.more();
    }
  }

  #line(line: Line, index: number, start: number, actions: RowActions) {
    const key = eventKey(line.event);
    const isOpen = this.openKey === key;
    const state = {
      isOpen,
      chosen: this.#chosen(line),
      isActive: this.activeKey === key,
      isNew: this.inbox.isNew(line.event),
      isOperationOpen: this.inbox.isOperationOpen(line.event.operationId),
    };
    const day = index > 0 && !line.isOlder ? this.#dayOf(index) : undefined;
    return html`
      <div
        class="line"
        role="listitem"
        data-index=${index}
        data-key=${key}
        aria-setsize=${this.inbox.hasMore ? -1 : this.inbox.lines.length}
        aria-posinset=${index + 1}
        .style=${`transform: translateY(${start}px)`}
      >
        ${day === undefined || day === this.#dayOf(index - 1) ? nothing : html`<h3 class="day">${day}</h3>`}
        ${row(line, state, actions)}
        ${isOpen
          ? html`<div class="detail ${line.event.severity}">${this.#detailOf(line)}</div>`
          : nothing}
      </div>
    `;
  }

  /** The day of a line. Steps of an operation are under its newest one, whatever their own days are. */
  #dayOf(index: number): string | undefined {
    const { lines } = this.inbox;
    let at = index;
    while (at > 0 && lines[at]?.isOlder) {
      at -= 1;
    }
    const line = lines[at];
    return line && dayOf(line.event.createdAt);
  }

  #detailOf(line: Line) {
    switch (this.detail) {
      case "ready":
        return html`<tidings-event-detail
          .event=${line.event}
          .steps=${line.steps}
          .links=${this.links}
          .permalink=${linkTo(line.event, this.links, this.inbox.session.client.access.server)}
        ></tidings-event-detail>`;
      case "failed":
        return plainDetail(line.event, () => void this.#loadDetail());
      case "late":
        return plainDetail(line.event, undefined);
      default:
        return nothing;
    }
  }

  async #loadDetail(): Promise<void> {
    if (this.detail !== "absent" && this.detail !== "failed") {
      return;
    }
    // The plain view stays until the full one is available.
    this.detail = this.detail === "failed" ? "late" : "loading";
    const late = setTimeout(() => {
      this.detail = "late";
    }, LATE);
    const isReady = await loadDetailScript();
    clearTimeout(late);
    this.detail = isReady ? "ready" : "failed";
  }

  /** Whether all or some steps of a line are selected. */
  #chosen({ steps }: Line): RowState["chosen"] {
    const { choice } = this.inbox;
    const count = choice.isEmpty ? 0 : steps.filter((step) => choice.has(step)).length;
    return count === 0 ? "none" : count < steps.length ? "some" : "all";
  }

  #actions(): RowActions {
    const { inbox } = this;
    return {
      toggle: (line) => this.toggle(line),
      choose: (line, range) => this.choose(line, range),
      mark: (line) => void inbox.mark(line, line.unread > 0 ? "read" : "unread"),
      remove: (line) => this.removeLine(line),
      toggleOperation: (line) => inbox.toggleOperation(line.event.operationId),
      focus: (line) => {
        this.activeKey = eventKey(line.event);
      },
    };
  }

  /** Selects a line, or the range from the last selected line to it. */
  choose(line: Line, range: boolean): void {
    this.inbox.choose(line, range);
    this.dispatchEvent(new CustomEvent("choice", { bubbles: true, composed: true }));
    this.requestUpdate();
  }

  /** Deletes a line with all its steps and focuses the next line. */
  removeLine(line: Line): void {
    const { lines } = this.inbox;
    const index = lines.indexOf(line);
    const next = lines[index + 1] ?? lines[index - 1];
    this.inbox.remove(line);
    this.activeKey = keyOf(next);
    if (next && this.renderRoot.querySelector(":focus")) {
      void this.focusOn(eventKey(next.event));
    }
  }

  /** Releases new events only if they move no row that the reader looks at. */
  #scrolled(): void {
    const isAtTop = (this.#scroller?.scrollTop ?? 0) <= TOP;
    this.inbox.isAtTop = isAtTop && this.openKey === undefined;
  }

  #pointed({ target }: PointerEvent): void {
    this.#under = (target as Element).closest<HTMLElement>(".line")?.dataset["key"] as EventKey | undefined;
  }

  #left(): void {
    this.#under = undefined;
    if (this.#gap > 0) {
      this.#leaveRoom(0);
      this.requestUpdate();
    }
  }

  /** The offset of the line under the pointer, if it is among these. */
  #startOf(lines: readonly Line[]): number | undefined {
    const index = this.#under ? lines.findIndex(({ event }) => eventKey(event) === this.#under) : -1;
    return index < 0 ? undefined : this.#virtual.startOf(index);
  }

  /** Keeps the line under the pointer in place when lines above it are deleted elsewhere. */
  #keepStill(before: number | undefined): void {
    const shown = [this.inbox.filter, ...this.inbox.removals.extents];
    const isByReader = shown.some((each, index) => each !== this.#shown[index]);
    this.#shown = shown;
    const after = this.#startOf(this.inbox.lines);
    if (isByReader || before === undefined || after === undefined || after >= before) {
      return;
    }
    const scroller = this.#scroller;
    const scrolled = Math.min(scroller?.scrollTop ?? 0, before - after);
    scroller?.scrollBy({ top: -scrolled });
    this.#leaveRoom(this.#gap + before - after - scrolled);
  }

  #leaveRoom(gap: number): void {
    this.#gap = gap;
    this.#virtual.gap = gap;
  }

  #titleOf(key: EventKey): HTMLElement | null {
    return this.renderRoot.querySelector(`[data-key="${CSS.escape(key)}"] .title`);
  }
}

/** The key of a line: that of its event. */
function keyOf(line: Line | undefined): EventKey | undefined {
  return line && eventKey(line.event);
}
