import { css, html, nothing } from "lit";

import { isEmpty } from "../api/filter.js";
import type { Inbox } from "../inbox/inbox.js";
import { strings } from "../strings/strings.js";
import { readIcon, trashIcon, unreadIcon } from "./icons.js";

/** What the strip needs from the inbox around it. */
export interface StripActions {
  readonly release: () => void;
  readonly chooseAll: () => void;
  /** Applies an action to the selection, which ends it. */
  readonly act: (act: () => void) => void;
}

/**
 * The line above the list: the day of its first row, and what a reader can do with all rows or with the selected
 * ones. It has always the same place, so that no row moves under the pointer.
 */
export function strip(inbox: Inbox, day: string, actions: StripActions) {
  if (inbox.lines.length === 0) {
    return nothing;
  }
  return inbox.choice.isEmpty ? all(inbox, day, actions) : chosen(inbox, actions);
}

function pill({ held }: Inbox, { release }: StripActions) {
  return held > 0
    ? html`<button class="pill" @click=${release}>${strings.list.held(held)}</button>`
    : nothing;
}

function all(inbox: Inbox, day: string, actions: StripActions) {
  const { readAll, readMatches } = strings.list;
  return html`<div class="strip">
    <h3>${day}</h3>
    ${pill(inbox, actions)}
    <span>
      ${inbox.hasUnread
        ? html`<button class="all" @click=${() => void inbox.markAll()}>
            ${isEmpty(inbox.filter) ? readAll : readMatches}
          </button>`
        : nothing}
    </span>
  </div>`;
}

function chosen(inbox: Inbox, actions: StripActions) {
  const { choice } = inbox;
  const { act, chooseAll } = actions;
  // Held events are not included.
  const total = (inbox.total ?? 0) - inbox.held;
  const action = (name: string, icon: unknown, done: () => void) =>
    html`<button class="action" title=${name} aria-label=${name} @click=${() => act(done)}>${icon}</button>`;
  return html`<div class="strip chosen">
    <span role="status"
      >${choice.all
        ? strings.choice.all(choice.all.count)
        : strings.choice.count(choice.keys.length, inbox.chosenLines)}</span
    >
    ${pill(inbox, actions)}
    ${choice.all || total <= choice.keys.length
      ? nothing
      : html`<button class="action" @click=${chooseAll}>${strings.choice.selectAll(total)}</button>`}
    ${action(strings.row.markRead, readIcon(), () => void inbox.markChosen("read"))}
    ${action(strings.row.markUnread, unreadIcon(), () => void inbox.markChosen("unread"))}
    ${action(strings.row.remove, trashIcon(), () => inbox.removeChosen())}
    <button class="action" @click=${() => act(() => inbox.chooseNone())}>${strings.choice.clear}</button>
  </div>`;
}

export const stripStyles = css`
  .strip {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.5rem;
    min-height: 2.25rem;
    padding: 0.125rem 0.75rem;
    border-bottom: 1px solid var(--t-line);
  }
  .strip > h3,
  .strip > span {
    flex: 1;
    margin: 0;
  }
  .strip h3 {
    font-size: 0.8125rem;
    font-weight: 650;
    color: var(--t-muted);
  }
  .strip > span {
    text-align: end;
  }
  .all {
    border: 0;
    background: none;
    padding: 0;
    min-height: 1.5rem;
    font-size: 0.8125rem;
    color: var(--t-accent);
  }
  .all:hover {
    text-decoration: underline;
  }
  .pill {
    border: 1px solid transparent;
    border-radius: 999px;
    padding: 0 0.875rem;
    min-height: 1.75rem;
    background: var(--t-accent);
    color: var(--t-on-accent);
    font-weight: 650;
  }
  .chosen {
    background: color-mix(in srgb, var(--t-accent) 12%, var(--t-surface));
  }
  .chosen > span {
    text-align: start;
    font-weight: 600;
  }
  .chosen .action {
    min-height: 1.75rem;
    padding-block: 0.125rem;
  }
  @media print {
    .chosen {
      display: none;
    }
  }
`;
