import { css, html } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { type Event, eventKey } from "../api/event.js";
import { strings } from "../strings/strings.js";
import { closeIcon, severityIcon } from "./icons.js";
import type { Toast } from "./toast-stack.js";
import { kindOf, titleOf } from "./words.js";

/** How long a toast is shown, in milliseconds. Urgent toasts stay until they are dismissed. */
export const TOAST_TIME = 8_000;

/** The stack of toasts in a corner of the page. */
export function toasts(shown: readonly Toast[], dismiss: (event: Event) => void) {
  return html`<div class="toasts" popover="manual" role="group" aria-label=${strings.toasts.label}>
    ${repeat(
      shown,
      ({ event }) => eventKey(event),
      ({ event, open }) => html`<div class="toast ${event.severity}">
        <span class="icon">${severityIcon(event.severity)}</span>
        <button class="what" @click=${open}>
          <i class="hidden-text">${strings.severity[event.severity]}: </i><b dir="auto" lang="">${titleOf(event)}</b>
          <span>${kindOf(event)}</span>
        </button>
        <button
          class="plain"
          title=${strings.toasts.dismiss}
          aria-label=${strings.toasts.dismiss}
          @click=${() => dismiss(event)}
        >
          ${closeIcon()}
        </button>
      </div>`,
    )}
  </div>`;
}

/**
 * Moves the toasts into the top layer, where no ancestor can clip or cover
 * them. With `isNew`, also above elements that entered the top layer later.
 */
export function raise(layer: HTMLElement, isNew: boolean): void {
  // Without popover support, `z-index` applies.
  if (typeof layer.showPopover === "function") {
    const isOpen = layer.matches(":popover-open");
    if (isOpen && isNew) {
      layer.hidePopover();
    }
    if (!isOpen || isNew) {
      layer.showPopover();
    }
  }
}

export const toastStyles = css`
  .toasts {
    position: fixed;
    inset: auto;
    inset-block-end: 1rem;
    inset-inline-end: 1rem;
    margin: 0;
    border: 0;
    padding: 0;
    background: none;
    color: var(--t-text);
    overflow: visible;
    pointer-events: none;
    gap: 0.5rem;
    width: min(24rem, calc(100vw - 2rem));
    z-index: 2147483000;
  }
  .toasts.at-top {
    inset-block: 1rem auto;
  }
  .toasts:popover-open {
    display: grid;
  }
  @supports not selector(:popover-open) {
    .toasts {
      display: grid;
    }
  }
  .toast {
    pointer-events: auto;
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    gap: 0.625rem;
    align-items: start;
    padding: 0.625rem;
    background: var(--t-surface);
    border: 1px solid var(--t-line);
    border-inline-start: 4px solid var(--t-severity);
    border-radius: var(--t-radius);
    box-shadow: var(--t-shadow);
    animation: come 0.2s ease-out;
  }
  .toast .icon {
    color: var(--t-severity);
    padding-top: 0.1875rem;
  }
  .toast .what {
    border: 0;
    background: none;
    padding: 0;
    text-align: start;
    display: grid;
    border-radius: 4px;
  }
  .toast b {
    overflow-wrap: anywhere;
  }
  .toast .what span {
    color: var(--t-muted);
    font-size: 0.8125rem;
  }
  @keyframes come {
    from {
      opacity: 0;
      transform: translateY(0.5rem);
    }
  }
`;
