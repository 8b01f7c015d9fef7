import { css, html, nothing } from "lit";

import type { Fault } from "../inbox/changes.js";
import type { Inbox } from "../inbox/inbox.js";
import { strings } from "../strings/strings.js";
import { closeIcon } from "./icons.js";
import { reasonsOf, titleOf } from "./words.js";

/** The number of deletions that are shown; the key for undo reaches all that wait. */
const MOST = 3;

/** Progress of changes, undo of deletions, and errors. */
export function notices(inbox: Inbox) {
  const { job } = inbox.work;
  const { waiting } = inbox.removals;
  const { fault } = inbox;
  return html`<div class="notices" role="status">
    ${job
      ? html`<div class="notice">
          <span
            >${strings.work.progress(
              strings.work.names[job.name] ?? job.name,
              job.done,
              job.count,
            )}</span
          >
          <progress
            max=${Math.max(job.count, 1)}
            .value=${job.done}
            aria-label=${strings.work.names[job.name] ?? job.name}
          ></progress>
        </div>`
      : nothing}
    ${waiting.slice(-MOST).map(
      (removal) => html`<div class="notice">
        <span class="named"><bdi>${strings.notice.deleted(
            removal.extent.count,
            removal.first && titleOf(removal.first),
          )}</bdi></span>
        <button class="undo" @click=${() => inbox.removals.undo(removal)}>${strings.notice.undo}</button>
      </div>`,
    )}
    ${fault && (inbox.loading !== "failed" || inbox.lines.length > 0) ? failure(inbox, fault) : nothing}
  </div>`;
}

/** What failed, why, and what to do. */
function failure(inbox: Inbox, { error, unchanged }: Fault) {
  if (inbox.session.state === "signed-out") {
    return nothing;
  }
  // The connection can be back while a change that failed is still not made.
  const isOver = error.code === "unreachable" && inbox.session.state === "live";
  const first = unchanged?.first && titleOf(unchanged.first);
  const what = unchanged
    ? strings.notice.unchanged(unchanged.wanted, unchanged.count, first)
    : strings.list.failed;
  const reasons = isOver ? [] : reasonsOf(error);
  const again = (): void => (unchanged ? inbox.repeat() : void inbox.retry());
  return html`<div class="notice failed">
    <span class="named"><b><bdi>${what}</bdi></b>${reasons.length > 0 ? html`<br />${reasons.join("; ")}` : nothing}</span>
    ${unchanged || inbox.loading === "failed"
      ? html`<button class="undo" @click=${again}>${strings.list.again}</button>`
      : nothing}
    <button class="plain" title=${strings.notice.dismiss} aria-label=${strings.notice.dismiss} @click=${() => inbox.dismissFault()}>
      ${closeIcon()}
    </button>
  </div>`;
}

export const noticeStyles = css`
  .notices {
    position: absolute;
    inset: auto 0.75rem 0.75rem;
    display: grid;
    gap: 0.5rem;
    justify-items: center;
    pointer-events: none;
    z-index: 2;
  }
  .notice {
    pointer-events: auto;
    display: flex;
    align-items: center;
    gap: 0.875rem;
    max-width: 100%;
    padding-block: 0.5rem;
    padding-inline: 1rem 0.5rem;
    min-height: 2.75rem;
    /* Visible in forced colors. */
    border: 1px solid transparent;
    border-radius: var(--t-radius);
    background: light-dark(#23272f, #e8eaef);
    color: light-dark(#ffffff, #16181d);
    box-shadow: var(--t-shadow);
  }
  .notice .named {
    min-width: 0;
    max-height: 4.5em;
    overflow: hidden;
    overflow-wrap: anywhere;
  }
  .notice.failed {
    background: light-dark(#8f1616, #ffd9d6);
    color: light-dark(#ffffff, #3d0b08);
  }
  .notice.failed .undo {
    color: inherit;
    text-decoration: underline;
  }
  .notice .plain {
    color: inherit;
  }
  .notice .plain:hover {
    background: #8884;
  }
  .notice .undo {
    border: 0;
    background: none;
    min-height: 2rem;
    padding-inline: 0.75rem;
    font-weight: 650;
    color: light-dark(#a9c3ff, #1b47b0);
    border-radius: 6px;
  }
  .notice :focus-visible {
    outline-color: currentColor;
  }
  .notice progress {
    width: 8rem;
    margin-inline-end: 0.5rem;
    accent-color: light-dark(#a9c3ff, #1b47b0);
  }
`;
