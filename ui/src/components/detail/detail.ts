import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import type { Event } from "../../api/event.js";
import { strings } from "../../strings/en.js";
import { copyIcon, linkIcon } from "../icons.js";
import { look, severityColors } from "../look.js";
import { percentOf, progressBar, progressOf, progressStyles } from "../progress.js";
import { exactTime } from "../time.js";
import { isTitleWhole } from "../words.js";
import { type Cause, causeOf, documentationOf, repeatedKeys } from "../cause.js";
import { asText } from "./as-text.js";
import { markdown } from "./markdown.js";
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

  @state() private said: unknown = "";

  static override styles = [
    look,
    severityColors,
    progressStyles,
    css`
      :host {
        display: block;
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
      dl > div {
        display: grid;
        grid-template-columns: minmax(6rem, 11rem) minmax(0, 1fr);
        gap: 0.75rem;
        padding-block: 0.1875rem;
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
      td,
      th {
        text-align: start;
        padding-block: 0.125rem;
        padding-inline-end: 0.75rem;
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
      @media (max-width: 30rem) {
        dl > div {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
        }
      }
    `,
  ];

  protected override render() {
    const { event } = this;
    const metadata: unknown = event.metadata;
    const cause = causeOf(metadata, event.description);
    const documentation = documentationOf(metadata);
    const progress = progressOf(event);
    const shown = new Set([
      ...(progress === undefined ? [] : ["progress"]),
      ...(cause ? ["error", "err"] : []),
      ...(documentation ? ["doc", "doclink"] : []),
      ...repeatedKeys(metadata, event.description, cause),
    ]);
    return html`
      ${isTitleWhole(event) ? nothing : html`<p class="description" dir="auto" lang="">${event.description}</p>`}
      ${progress === undefined
        ? nothing
        : html`<p class="done">${progressBar(event)}<b aria-hidden="true">${percentOf(progress)}</b></p>`}
      ${cause ? this.#cause(cause) : nothing}
      ${hasTree(metadata, shown)
        ? html`<h3>${strings.detail.metadata}</h3>
            ${tree(metadata, shown)}`
        : nothing}
      <details>
        <summary class="muted">${strings.detail.facts}</summary>
        ${this.#facts()}
      </details>
      ${this.#bar(documentation)}
    `;
  }

  #cause(cause: Cause) {
    const { code, ...texts } = cause;
    if (!code && Object.values(texts).every((each) => each.length === 0)) {
      // The description already contains everything.
      return nothing;
    }
    const paragraphs = (texts: readonly string[]) => html`<div lang="">${texts.map((text) => markdown(text))}</div>`;
    return html`<section class="cause">
      ${cause.happened.length > 0
        ? html`<h3>${strings.detail.whatHappened}</h3>
            ${paragraphs(cause.happened)}`
        : nothing}
      ${cause.more.length > 0
        ? html`<h3>${strings.detail.more}</h3>
            ${paragraphs(cause.more)}`
        : nothing}
      ${cause.probable.length > 0
        ? html`<h3>${strings.detail.probableCause}</h3>
            ${list(cause.probable)}`
        : nothing}
      ${cause.remedies.length > 0
        ? html`<h3>${strings.detail.remedy}</h3>
            <div class="remedy">${list(cause.remedies)}</div>`
        : nothing}
      ${cause.code
        ? html`<p class="muted">${strings.detail.code}: <code>${cause.code}</code></p>`
        : nothing}
    </section>`;
  }

  #facts() {
    const { event } = this;
    const facts: readonly (readonly [string, string])[] = [
      [strings.detail.created, exactTime(event.createdAt)],
      [strings.detail.status, event.status === "read" ? strings.detail.read : strings.detail.unread],
      [strings.detail.actedUpon, event.actedUpon],
      [strings.detail.operation, event.operationId],
      [strings.detail.id, event.id],
    ];
    return html`<dl>
      ${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}
    </dl>`;
  }

  #bar(documentation: string | undefined) {
    const { operationId, id } = this.event;
    const only = (): void => {
      this.dispatchEvent(
        new CustomEvent("operation", { detail: operationId, bubbles: true, composed: true }),
      );
    };
    return html`<div class="bar">
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

/** Renders one text as a paragraph and several as a list. */
function list(texts: readonly string[]) {
  return texts.length === 1
    ? html`<div lang="">${markdown(texts[0] ?? "")}</div>`
    : html`<ul lang="">
        ${texts.map((text) => html`<li>${markdown(text)}</li>`)}
      </ul>`;
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-event-detail": TidingsEventDetail;
  }
}
