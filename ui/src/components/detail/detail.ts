import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { Event } from "../../api/event.js";
import { strings } from "../../strings/strings.js";
import { copyIcon, linkIcon } from "../icons.js";
import { translate } from "../language.js";
import { look, severityColors } from "../look.js";
import { percentOf, progressBar, progressOf, progressStyles } from "../progress.js";
import { exactTime } from "../time.js";
import { isTitleWhole } from "../words.js";
import { causeOf, documentationOf, repeatedKeys } from "../cause.js";
import { type Links, type TidingsAction, hostAddress } from "../links.js";
import { actionView, actionsOf } from "./actions.js";
import { asText } from "./as-text.js";
import { causeView } from "./cause-view.js";
import { isRich, markdown } from "./markdown.js";
import { hasTree, tree } from "./tree.js";

/** How long "Copied" is shown, in milliseconds. */
const SAID = 3_000;

/** The full view of an event: description, cause, remedy and metadata. */
@customElement("tidings-event-detail")
export class TidingsEventDetail extends LitElement {
  @property({ attribute: false }) event!: Event;
  /** The steps of the operation if the event represents one; "Copy" then copies all of them. */
  @property({ attribute: false }) steps: readonly Event[] = [];
  @property({ attribute: false }) permalink = "";
  @property({ attribute: false }) links: Links = {};

  @state() private said: unknown = "";

  static override styles = [
    look,
    severityColors,
    progressStyles,
    css`
      :host {
        display: block;
        container-type: inline-size;
        overflow-wrap: anywhere;
      }
      h3 {
        margin: 0.875rem 0 0.25rem;
        font-size: 0.8125rem;
        color: var(--t-muted);
        font-weight: 650;
      }
      p,
      ul,
      ol,
      pre,
      dl,
      table,
      blockquote {
        margin: 0 0 0.5rem;
      }
      ul,
      ol {
        padding-inline-start: 1.25rem;
      }
      .done {
        display: grid;
        grid-template-columns: minmax(0, 24rem) auto;
        align-items: center;
        gap: 0.75rem;
        margin-block: 0.25rem 0.5rem;
        font-variant-numeric: tabular-nums;
      }
      .done .progress {
        height: 0.5rem;
      }
      .description {
        white-space: pre-wrap;
      }
      .cause {
        border-inline-start: 3px solid var(--t-severity, var(--t-line));
        padding-block: 0.125rem;
        padding-inline-start: 0.875rem;
        margin-block: 0.5rem;
      }
      .cause h3:first-child {
        margin-top: 0;
      }
      .remedy {
        background: var(--t-raised);
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
        padding: 0.625rem 0.875rem;
        margin-block: 0.375rem;
      }
      .remedy > :last-child,
      .remedy > div > :last-child {
        margin-bottom: 0;
      }
      .task {
        list-style: none;
        margin-inline-start: -1.25rem;
      }
      /* A table scrolls rather than breaks its words. */
      .wide {
        overflow-x: auto;
        overflow-wrap: break-word;
      }
      code,
      pre {
        font-family: var(--t-mono);
        font-size: 0.8125rem;
      }
      :not(pre) > code {
        background: color-mix(in srgb, currentColor 9%, transparent);
        border-radius: 4px;
        padding: 0.0625rem 0.25rem;
      }
      /* Code is written from left to right in any language. */
      code,
      pre {
        direction: ltr;
        unicode-bidi: isolate;
        text-align: left;
      }
      pre {
        white-space: pre-wrap;
        background: var(--t-surface);
        border: 1px solid var(--t-line);
        border-radius: 6px;
        padding: 0.5rem 0.75rem;
        max-height: 20rem;
        overflow: auto;
      }
      /* Names take as much room as they need, so that deep levels do not run out of it. */
      dl {
        display: grid;
        grid-template-columns: fit-content(11rem) minmax(0, 1fr);
        gap: 0.375rem 0.75rem;
      }
      dl > div {
        display: contents;
      }
      dl dl {
        padding-inline-start: 0.75rem;
        border-inline-start: 1px solid var(--t-line);
      }
      dt {
        color: var(--t-muted);
      }
      dd {
        margin: 0;
        min-width: 0;
      }
      summary {
        cursor: pointer;
        min-height: 1.5rem;
      }
      a {
        color: var(--t-accent);
      }
      table {
        border-collapse: collapse;
        font-size: 0.8125rem;
      }
      tr + tr,
      tbody tr {
        border-block-start: 1px solid var(--t-line);
      }
      td,
      th {
        text-align: start;
        vertical-align: top;
        padding-block: 0.125rem;
        padding-inline-end: 0.75rem;
      }
      td {
        min-width: 3rem;
        max-width: 30rem;
      }
      th {
        color: var(--t-muted);
        white-space: nowrap;
      }
      .failed {
        color: var(--t-error);
      }
      .copied {
        position: relative;
      }
      .copied .action {
        position: absolute;
        inset-block-start: 0.25rem;
        inset-inline-end: 0.25rem;
        min-height: 1.5rem;
        padding: 0 0.5rem;
        font-size: 0.8125rem;
      }
      .trace {
        white-space: pre;
      }
      blockquote {
        border-inline-start: 3px solid var(--t-line);
        padding-inline-start: 0.75rem;
      }
      .muted {
        color: var(--t-muted);
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
        align-items: center;
        margin-top: 0.75rem;
      }
      .bar .action {
        display: inline-flex;
        align-items: center;
        gap: 0.375rem;
        text-decoration: none;
        color: inherit;
      }
      .bar svg {
        width: 1em;
        height: 1em;
      }
      @media print {
        pre {
          max-height: none;
        }
      }
      @container (max-width: 26rem) {
        dl {
          grid-template-columns: minmax(0, 1fr);
          gap: 0 0.75rem;
        }
        dd {
          margin-block-end: 0.375rem;
        }
      }
    `,
  ];

  constructor() {
    super();
    translate(this);
  }

  protected override render() {
    const { event } = this;
    const metadata: unknown = event.metadata;
    const cause = causeOf(metadata, event.description);
    const documentation = documentationOf(metadata);
    const progress = progressOf(event);
    const actions = actionsOf(event, this.links);
    const shown = new Set([
      ...(progress === undefined ? [] : ["progress"]),
      ...(cause ? ["error", "err"] : []),
      ...(documentation ? ["doc", "doclink"] : []),
      ...(actions.length > 0 ? ["actions"] : []),
      ...repeatedKeys(metadata, event.description, cause),
    ]);
    return html`
      ${isRich(event.description)
        ? html`<div lang="">${markdown(event.description)}</div>`
        : isTitleWhole(event)
          ? nothing
          : html`<p class="description" dir="auto" lang="">${event.description}</p>`}
      ${progress === undefined
        ? nothing
        : html`<p class="done">${progressBar(event)}<b aria-hidden="true">${percentOf(progress)}</b></p>`}
      ${cause ? causeView(cause) : nothing}
      ${hasTree(metadata, shown)
        ? html`<h3>${strings.detail.metadata}</h3>
            ${tree(metadata, shown, (key, value) => hostAddress(this.links.resolveLink?.(key, value, event)))}`
        : nothing}
      <details>
        <summary class="muted">${strings.detail.facts}</summary>
        ${this.#facts()}
      </details>
      ${this.#bar(documentation, actions)}
    `;
  }

  #facts() {
    const { event } = this;
    const facts: readonly (readonly [string, string])[] = [
      [strings.detail.created, exactTime(event.createdAt)],
      ...(event.expiresAt ? [[strings.detail.expires, exactTime(event.expiresAt)] as const] : []),
      [strings.detail.status, event.status === "read" ? strings.detail.read : strings.detail.unread],
      [strings.detail.actedUpon, event.actedUpon],
      [strings.detail.operation, event.operationId],
      [strings.detail.id, event.id],
    ];
    return html`<dl>
      ${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}
    </dl>`;
  }

  #bar(documentation: string | undefined, actions: readonly TidingsAction[]) {
    const { operationId, id } = this.event;
    const only = (): void => {
      this.dispatchEvent(
        new CustomEvent("operation", { detail: operationId, bubbles: true, composed: true }),
      );
    };
    return html`<div class="bar">
      ${actions.map((action) => actionView(action, (chosen) => this.#run(chosen)))}
      ${documentation
        ? html`<a class="action" href=${documentation} rel="noopener noreferrer" target="_blank"
            >${strings.detail.documentation}</a
          >`
        : nothing}
      ${operationId === id
        ? nothing
        : html`<button class="action" @click=${only}>${strings.row.onlyOperation}</button>`}
      <button class="action" @click=${() => void this.#copy(asText(this.event))}>
        ${copyIcon()} ${strings.detail.copyText}
      </button>
      <button class="action" @click=${() => void this.#copyJson()}>
        ${copyIcon()} ${strings.detail.copy}
      </button>
      <button class="action" @click=${() => void this.#copyLink()}>
        ${linkIcon()} ${strings.detail.permalink}
      </button>
      <span role="status" class="muted">${this.said}</span>
    </div>`;
  }

  /** Tells the host page, and returns whether it leaves the action to the browser. */
  #run(action: TidingsAction): boolean {
    const detail = { action, event: this.event };
    return this.dispatchEvent(
      new CustomEvent("tidings-action", { detail, bubbles: true, composed: true, cancelable: true }),
    );
  }

  async #copyJson(): Promise<void> {
    const { event, steps } = this;
    const text = JSON.stringify(steps.length > 1 ? steps : event, null, 2);
    await this.#copy(text, steps.length > 1 ? strings.detail.copiedSteps(steps.length) : undefined);
  }

  async #copyLink(): Promise<void> {
    // A link that cannot be copied by the page can still be copied by the reader.
    const link = html`<a href=${this.permalink}>${this.permalink}</a>`;
    await this.#copy(this.permalink, undefined, html`${strings.detail.copyFailed}: ${link}`);
  }

  async #copy(
    text: string,
    said: string = strings.detail.copied,
    failed: unknown = strings.detail.copyFailed,
  ): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.said = said;
    } catch {
      this.said = failed;
      return;
    }
    setTimeout(() => {
      this.said = this.said === said ? "" : this.said;
    }, SAID);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-event-detail": TidingsEventDetail;
  }
}
