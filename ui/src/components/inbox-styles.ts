import { css } from "lit";

/** The styles of the inbox around its list. */
export const inboxStyles = css`
  :host {
    display: grid;
    /* On a low screen or with large letters, the head scrolls and leaves room for the list. */
    grid-template-rows: fit-content(48%) minmax(0, 1fr);
    position: relative;
    background: var(--t-surface);
    height: 100%;
    min-height: 20rem;
    overflow: hidden;
    container-type: inline-size;
  }
  .head {
    overflow: auto;
    border-bottom: 1px solid var(--t-line);
    z-index: 1;
  }
  .bar {
    display: flex;
    align-items: center;
    gap: 0.25rem 0.5rem;
    padding-block: 0.625rem 0.5rem;
    padding-inline: 0.75rem 0.5rem;
    flex-wrap: wrap;
  }
  h2 {
    margin: 0;
    font-size: 1.0625rem;
    line-height: 1.3;
  }
  .counts {
    color: var(--t-muted);
    flex: 1 1 4rem;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .state {
    display: inline-flex;
    align-items: center;
    gap: 0.375rem;
    color: var(--t-muted);
    font-size: 0.8125rem;
  }
  .state i {
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: var(--t-warning);
  }
  .state.live i {
    background: var(--t-success);
  }
  .state.signed-out i,
  .state.refused i {
    background: var(--t-error);
  }
  .banner {
    padding: 0.375rem 0.75rem;
    background: color-mix(in srgb, var(--t-warning) 14%, var(--t-surface));
    border-top: 1px solid var(--t-line);
  }
  .body {
    position: relative;
    min-height: 0;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
  }
  .body > :not(.strip) {
    grid-row: 2;
  }
  .is-old {
    /* Dims the old list while a new one loads; usually the new list arrives before this shows. */
    opacity: 0.55;
    transition: opacity 0s 0.15s;
  }
  .empty {
    overflow: auto;
    padding: 2.5rem 1.5rem;
    color: var(--t-muted);
    text-align: center;
  }
  .empty h3 {
    margin: 0 0 0.25rem;
    color: var(--t-text);
  }
  .skeleton {
    padding: 0.75rem;
    display: grid;
    gap: 0.75rem;
    align-content: start;
  }
  .skeleton i {
    height: 2.5rem;
    border-radius: 6px;
    background: color-mix(in srgb, var(--t-edge) 40%, var(--t-surface));
    animation: breathe 1.2s ease-in-out infinite alternate;
  }
  @media (forced-colors: active) {
    .state i,
    .skeleton i {
      forced-color-adjust: none;
      background: GrayText;
    }
    .state.live i {
      background: CanvasText;
    }
  }
  @container (max-width: 36rem) {
    .total {
      display: none;
    }
  }
  @container (max-width: 30rem) {
    .bar {
      padding-block: 0.25rem;
    }
    /* No line break comes and goes with the first connection. */
    .state:is(.live, .connecting) {
      font-size: 0;
    }
  }
  @media print {
    :host {
      display: block;
      height: auto;
      overflow: visible;
    }
    .body {
      display: block;
    }
    tidings-filter-bar,
    .state,
    .notices {
      display: none;
    }
  }
  @keyframes breathe {
    to {
      opacity: 0.6;
    }
  }
`;
