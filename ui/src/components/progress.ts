import { css, html, nothing } from "lit";

import type { Event } from "../api/event.js";
import { strings } from "../strings/strings.js";
import { member } from "./cause.js";

/** The progress of what an event reports, in percent. Values other than a number from 0 to 100 are ignored. */
export function progressOf({ metadata }: Event): number | undefined {
  const value = member(metadata, "progress");
  return typeof value === "number" && value >= 0 && value <= 100 ? value : undefined;
}

/** The percentage as a text, rounded down so that only a completed operation has 100 %. */
export function percentOf(progress: number): string {
  return strings.progress.percent(Math.floor(progress));
}

/** A bar with the progress of an event, if it has one. */
export function progressBar(event: Event) {
  const progress = progressOf(event);
  return progress === undefined
    ? nothing
    : html`<span
        class="progress"
        role="progressbar"
        aria-label=${strings.progress.label}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${Math.floor(progress)}
        aria-valuetext=${percentOf(progress)}
        ><i .style=${`width: ${progress}%`}></i
      ></span>`;
}

export const progressStyles = css`
  .progress {
    display: block;
    height: 0.25rem;
    border-radius: 0.125rem;
    overflow: hidden;
    background: var(--t-line);
  }
  .progress i {
    display: block;
    height: 100%;
    background: var(--t-severity, var(--t-accent));
    transition: width 0.2s;
  }
  @media (forced-colors: active) {
    .progress {
      outline: 1px solid;
    }
    .progress i {
      forced-color-adjust: none;
      background: CanvasText;
    }
  }
`;
