import { css, html, nothing } from "lit";

import type { Event } from "../api/event.js";
import { strings } from "../strings/strings.js";
import { causeOf } from "./cause.js";
import { progressBar } from "./progress.js";
import { exactTime } from "./time.js";
import { isTitleWhole } from "./words.js";

/** The plain text view of an event, used while the detail script is not available. */
export function plainDetail(event: Event, retry: (() => void) | undefined) {
  const { description, metadata } = event;
  const cause = causeOf(metadata, description);
  const part = (title: string, texts: readonly string[] = []) =>
    texts.length === 0
      ? nothing
      : html`<h3>${title}</h3>
          ${texts.map((text) => html`<p dir="auto" lang="">${text}</p>`)}`;
  const { detail } = strings;
  return html`<div class="plain-detail">
    ${retry
      ? html`<div role="status">
          ${detail.plain} <button class="action" @click=${retry}>${strings.list.again}</button>
        </div>`
      : nothing}
    ${isTitleWhole(event) ? nothing : html`<p dir="auto" lang="">${description}</p>`}
    ${progressBar(event)}
    ${part(detail.whatHappened, cause?.happened)} ${part(detail.more, cause?.more)}
    ${part(detail.probableCause, cause?.probable)} ${part(detail.remedy, cause?.remedies)}
    ${part(detail.code, cause?.code ? [cause.code] : [])}
    ${part(detail.created, [exactTime(event.createdAt)])}
    ${part(detail.actedUpon, [event.actedUpon])} ${part(detail.id, [event.id])}
    ${metadata && Object.keys(metadata).length > 0
      ? html`<details>
          <summary>${detail.metadata}</summary>
          <pre>${JSON.stringify(metadata, null, 2)}</pre>
        </details>`
      : nothing}
  </div>`;
}

export const plainDetailStyles = css`
  .plain-detail {
    overflow-wrap: anywhere;
  }
  .plain-detail .progress {
    margin-block: 0.5rem;
    max-width: 24rem;
  }
  .plain-detail .action {
    margin-block-start: 0.25rem;
    margin-inline-start: 0.25rem;
  }
  .plain-detail h3 {
    margin: 0.75rem 0 0;
    font-size: 0.8125rem;
    color: var(--t-muted);
  }
  .plain-detail p {
    margin: 0;
    white-space: pre-wrap;
  }
  .plain-detail summary {
    margin-top: 0.75rem;
    cursor: pointer;
  }
  .plain-detail pre {
    margin: 0.5rem 0 0;
    max-height: 20rem;
    overflow: auto;
    white-space: pre-wrap;
    font: 0.8125rem/1.5 var(--t-mono);
  }
`;
