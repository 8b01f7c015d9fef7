import { css, html, nothing } from "lit";
import { live } from "lit/directives/live.js";

import type { Line } from "../inbox/lines.js";
import { strings } from "../strings/strings.js";
import { chevronIcon, readIcon, severityIcon, trashIcon, unreadIcon } from "./icons.js";
import { percentOf, progressBar, progressOf, progressStyles } from "./progress.js";
import { exactTime, relativeTime } from "./time.js";
import { kindOf, titleOf } from "./words.js";

/** The state of a line. */
export interface RowState {
  readonly isOpen: boolean;
  /** The number of selected steps. */
  readonly chosen: "none" | "some" | "all";
  readonly isActive: boolean;
  readonly isOperationOpen: boolean;
  readonly isNew: boolean;
}

/** The actions on a line. */
export interface RowActions {
  toggle(line: Line): void;
  choose(line: Line, range: boolean): void;
  mark(line: Line): void;
  remove(line: Line): void;
  toggleOperation(line: Line): void;
  focus(line: Line): void;
}

/** The exact time, formatted on demand because formatting is slow. */
function showExact(enter: PointerEvent): void {
  const time = enter.currentTarget as HTMLTimeElement;
  time.title = exactTime(time.dateTime);
}

/** The distance in pixels from which a pressed pointer selects text instead of clicking. */
const DRAG = 4;

/** Where the pointer was pressed last. */
let pressed: PointerEvent | undefined;

/** The listeners of a title. It is no button element, because browsers let nobody select the text of one. */
function opens(line: Line, actions: RowActions) {
  return {
    press: (event: PointerEvent): void => {
      pressed = event;
    },
    click: (event: MouseEvent): void => {
      const moved = pressed ? Math.hypot(event.x - pressed.x, event.y - pressed.y) : 0;
      pressed = undefined;
      if (moved < DRAG) {
        actions.toggle(line);
      }
    },
    key: (event: KeyboardEvent): void => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        actions.toggle(line);
      }
    },
  };
}

/** A row of the list. */
export function row(line: Line, state: RowState, actions: RowActions) {
  const { event, severity } = line;
  const isUnread = line.unread > 0;
  const progress = progressOf(event);
  const opening = opens(line, actions);
  const markLabel = isUnread ? strings.row.markRead : strings.row.markUnread;
  return html`
    <div
      class="row ${severity} ${isUnread ? "is-unread" : ""} ${line.isOlder ? "is-older" : ""} ${
        state.isOpen ? "is-open" : ""
      } ${state.chosen === "none" ? "" : "is-chosen"} ${state.isNew ? "is-new" : ""}"
      @focusin=${() => actions.focus(line)}
    >
      <label class="choose">
        <input
          type="checkbox"
          tabindex=${state.isActive ? 0 : -1}
          aria-label=${strings.row.select(titleOf(event))}
          .checked=${live(state.chosen === "all")}
          .indeterminate=${live(state.chosen === "some")}
          @click=${(click: MouseEvent) => actions.choose(line, click.shiftKey)}
        />
      </label>
      <span class="icon" title=${strings.severity[severity]}>${severityIcon(severity)}</span>
      <div
        class="title"
        role="button"
        tabindex=${state.isActive ? 0 : -1}
        aria-expanded=${state.isOpen ? "true" : "false"}
        @pointerdown=${opening.press}
        @click=${opening.click}
        @keydown=${opening.key}
      >
        <span class="hidden-text"
          >${isUnread ? `${strings.row.unread}. ` : ""}${strings.severity[severity]}:
        </span>
        <span class="text" dir="auto" lang="">${titleOf(event)}</span>
        <span class="facts">
          <span>${kindOf(event)}</span>
          ${event.ownerKind === "system" ? html`<span>${strings.row.system}</span>` : nothing}
          ${progress === undefined ? nothing : html`<b>${percentOf(progress)}</b>`}
        </span>
      </div>
      ${state.isOpen ? nothing : progressBar(event)}
      <time datetime=${event.createdAt} @pointerenter=${showExact}
        ><bdi>${relativeTime(event.createdAt)}</bdi></time
      >
      ${line.older > 0 ? older(line, state, actions) : nothing}
      <span class="actions">
        <button
          class="plain"
          tabindex=${state.isActive ? 0 : -1}
          title=${markLabel}
          aria-label=${markLabel}
          @click=${() => actions.mark(line)}
        >
          ${isUnread ? readIcon() : unreadIcon()}
        </button>
        <button
          class="plain"
          tabindex=${state.isActive ? 0 : -1}
          title=${strings.row.remove}
          aria-label=${strings.row.remove}
          @click=${(click: MouseEvent) => {
            // Ignores the second click of a double click, which would hit the next line.
            if (click.detail < 2) {
              actions.remove(line);
            }
          }}
        >
          ${trashIcon()}
        </button>
      </span>
    </div>
  `;
}

function older(line: Line, state: RowState, actions: RowActions) {
  const unread = line.unread - (line.event.status === "unread" ? 1 : 0);
  return html`
    <button
      class="older"
      tabindex=${state.isActive ? 0 : -1}
      aria-expanded=${state.isOperationOpen ? "true" : "false"}
      @click=${() => actions.toggleOperation(line)}
    >
      ${chevronIcon()}
      <bdi class="words">${state.isOperationOpen ? strings.row.hideOlder : strings.row.older(line.older)}</bdi>
      <span class="short" aria-hidden="true">${line.older}</span>
      ${unread > 0 ? html`<b><bdi>${strings.row.unreadSteps(unread)}</bdi></b>` : nothing}
    </button>
  `;
}

export const rowStyles = [progressStyles, css`
  .row {
    position: relative;
    display: grid;
    grid-template-columns: auto auto minmax(0, 1fr) auto;
    align-items: start;
    column-gap: 0.625rem;
    padding-block: 0.3125rem;
    padding-inline: 0.5rem 0.75rem;
    border-bottom: 1px solid var(--t-line);
    border-inline-start: 3px solid transparent;
    background: var(--t-surface);
  }
  .row.is-new {
    animation: slide-in 0.25s ease-out;
  }
  @keyframes slide-in {
    from {
      opacity: 0;
      transform: translateY(-0.75rem);
    }
  }
  .row:hover {
    background: var(--t-hover);
  }
  .row.is-unread {
    border-inline-start-color: var(--t-accent);
  }
  .row.is-older {
    padding-inline-start: 2.25rem;
    background: var(--t-raised);
  }
  .row.is-open {
    border-bottom-color: transparent;
  }
  .row.is-chosen {
    background: color-mix(in srgb, var(--t-accent) 12%, var(--t-surface));
  }
  .choose {
    grid-area: 1 / 1;
    display: grid;
    place-items: center;
    min-width: 1.5rem;
    min-height: 1.5rem;
    cursor: pointer;
  }
  .choose input {
    width: 1rem;
    height: 1rem;
    margin: 0;
    accent-color: var(--t-accent);
    cursor: pointer;
  }
  .icon {
    grid-area: 1 / 2;
    color: var(--t-severity);
    padding-block-start: 0.125rem;
  }
  .title {
    grid-area: 1 / 3;
    padding: 0.0625rem 0;
    min-width: 0;
    cursor: pointer;
    border-radius: 4px;
  }
  .text {
    display: block;
    /* Titles in another direction begin where all others do. */
    text-align: -webkit-match-parent;
    text-align: match-parent;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .is-open .text {
    white-space: normal;
    overflow-wrap: anywhere;
    cursor: text;
  }
  .is-unread .text {
    font-weight: 650;
  }
  .facts {
    display: flex;
    gap: 0.125rem 0.3125rem;
    color: var(--t-muted);
    font-size: 0.8125rem;
    overflow: hidden;
  }
  .facts > * {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    flex: 0 1 auto;
  }
  .facts > span + span::before {
    content: "· ";
  }
  .facts b {
    flex-shrink: 0;
    margin-inline-start: 0.3125rem;
    font-variant-numeric: tabular-nums;
  }
  /* Placed over the row's padding, so that no row moves when a bar appears. */
  .row > .progress {
    position: absolute;
    grid-area: 1 / 3 / 2 / 4;
    inset: auto 0 -0.1875rem;
  }
  time {
    grid-area: 1 / 4;
    padding-block: 0.125rem;
    color: var(--t-muted);
    font-size: 0.8125rem;
    white-space: nowrap;
  }
  /* Placed over the end of the row, so that they take no room from titles. */
  .actions {
    position: absolute;
    inset-block: 0;
    inset-inline-end: 0;
    display: flex;
    align-items: center;
    padding-inline: 1rem 0.5rem;
    background: var(--t-hover);
    visibility: hidden;
  }
  .is-open .actions {
    position: static;
    grid-area: 1 / 5;
    padding: 0;
    background: none;
  }
  .row:hover .actions,
  .row:focus-within .actions,
  .is-open .actions {
    visibility: visible;
  }
  /* The steps stay reachable beside the actions. */
  .row:not(.is-open):has(.older) .actions {
    inset-block-end: 50%;
    padding-block: 0.125rem 0;
  }
  /* At the end of the second line, where it takes no room from the title. */
  .older {
    grid-area: 1 / 3 / 2 / 5;
    place-self: end;
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    border: 0;
    background: inherit;
    padding: 0 0.25rem;
    margin-inline-end: -0.25rem;
    min-height: 1.5rem;
    margin-block: -0.1875rem -0.0625rem;
    border-radius: 4px;
    font-size: 0.8125rem;
    white-space: nowrap;
    color: var(--t-accent);
  }
  .short {
    display: none;
  }
  .older:hover {
    text-decoration: underline;
  }
  .older svg {
    width: 1em;
    height: 1em;
    transition: transform 0.15s;
  }
  .older:dir(rtl) svg {
    transform: rotate(180deg);
  }
  .older[aria-expanded="true"] svg {
    transform: rotate(90deg);
  }
  /* Forced colors show transparent borders and no backgrounds. */
  @media (forced-colors: active) {
    .row {
      border-inline-start-color: Canvas;
    }
    .row.is-unread {
      border-inline-start-color: Highlight;
    }
    .row.is-chosen {
      outline: 2px solid Highlight;
      outline-offset: -3px;
    }
  }
  @media print {
    .choose {
      visibility: hidden;
    }
  }
  @media (hover: none) {
    .actions {
      position: static;
      grid-area: 1 / 5;
      padding: 0;
      background: none;
      visibility: visible;
    }
  }
  @container (max-width: 30rem) {
    .row {
      column-gap: 0.375rem;
      padding-inline: 0.25rem 0.5rem;
    }
    .row:not(.is-open):not(:focus-within):not(:hover) .actions {
      display: none;
    }
    .words {
      position: absolute;
      clip-path: inset(50%);
    }
    .short {
      display: inline;
    }
    .older b {
      display: none;
    }
  }
`];
