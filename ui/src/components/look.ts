import { css } from "lit";

/**
 * The color scheme: the browser's preference unless the attribute `theme` is set. For the elements that a page
 * uses directly; nested elements inherit it.
 */
export const theme = css`
  :host {
    color-scheme: light dark;
  }
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  @media print {
    :host {
      color-scheme: light !important;
    }
  }
`;

/**
 * The shared theme. A host page overrides it with the custom properties
 * `--tidings-*`.
 */
export const look = css`
  :host {
    --t-font: var(--tidings-font, system-ui, -apple-system, "Segoe UI", sans-serif);
    --t-mono: var(--tidings-font-mono, ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace);
    --t-surface: var(--tidings-surface, light-dark(#ffffff, #16181d));
    --t-raised: var(--tidings-raised, light-dark(#f6f7f9, #1e2128));
    --t-hover: var(--tidings-hover, light-dark(#f0f2f6, #252933));
    --t-line: var(--tidings-line, light-dark(#e1e4ea, #2e333d));
    --t-edge: var(--tidings-edge, light-dark(#868e9c, #747d8d));
    --t-text: var(--tidings-text, light-dark(#1b1f27, #e8eaef));
    --t-muted: var(--tidings-muted, light-dark(#59616e, #a1a9b8));
    --t-accent: var(--tidings-accent, light-dark(#2457d6, #8db0ff));
    --t-on-accent: var(--tidings-on-accent, light-dark(#ffffff, #10131a));
    --t-radius: var(--tidings-radius, 8px);
    --t-shadow: 0 8px 28px light-dark(#1b1f2733, #0009);
    --t-emergency: light-dark(#a3004f, #ff8fc0);
    --t-alert: light-dark(#86199a, #e6a0f2);
    --t-critical: light-dark(#b0132b, #ff97a0);
    --t-error: light-dark(#b83200, #ffa17c);
    --t-warning: light-dark(#8a5300, #f5be5b);
    --t-success: light-dark(#0f7038, #74d99b);
    --t-informational: light-dark(#1f5fbf, #8fbcff);
    --t-debug: light-dark(#59616e, #a1a9b8);
    font: 400 0.875rem/1.45 var(--t-font);
    color: var(--t-text);
  }
  :host([hidden]) {
    display: none;
  }
  * {
    box-sizing: border-box;
  }
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--t-accent);
    outline-offset: 2px;
  }
  svg {
    display: block;
    width: 1.25em;
    height: 1.25em;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  svg .solid {
    fill: currentColor;
  }
  svg .cut {
    stroke: var(--t-surface);
  }
  @media (forced-colors: active) {
    svg .cut {
      stroke: Canvas;
    }
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .plain {
    border: 0;
    background: none;
    padding: 0.375rem;
    border-radius: 6px;
    color: var(--t-muted);
    min-width: 2rem;
    min-height: 2rem;
    display: inline-grid;
    place-items: center;
  }
  .plain:hover {
    background: var(--t-hover);
    color: var(--t-text);
  }
  .action {
    border: 1px solid var(--t-edge);
    background: var(--t-surface);
    border-radius: 6px;
    padding: 0.3125rem 0.75rem;
    min-height: 2rem;
  }
  .action:hover {
    background: var(--t-hover);
  }
  .primary {
    border-color: var(--t-accent);
    background: var(--t-accent);
    color: var(--t-on-accent);
    font-weight: 600;
  }
  .primary:hover {
    background: color-mix(in srgb, var(--t-accent) 88%, var(--t-text));
  }
  dialog {
    border: 1px solid var(--t-line);
    border-radius: var(--t-radius);
    background: var(--t-surface);
    color: inherit;
    box-shadow: var(--t-shadow);
    padding: 1.25rem;
    width: min(30rem, calc(100vw - 2rem));
    max-height: calc(100dvh - 2rem);
  }
  dialog::backdrop {
    background: #0006;
  }
  dialog h2 {
    margin: 0 0 0.75rem;
    font-size: 1.0625rem;
  }
  @media print {
    button:not(.title),
    input,
    dialog:not(.drawer) {
      display: none !important;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
      scroll-behavior: auto !important;
    }
  }
`;

/** Colours elements by their severity class. */
export const severityColors = css`
  .emergency {
    --t-severity: var(--t-emergency);
  }
  .alert {
    --t-severity: var(--t-alert);
  }
  .critical {
    --t-severity: var(--t-critical);
  }
  .error {
    --t-severity: var(--t-error);
  }
  .warning {
    --t-severity: var(--t-warning);
  }
  .success {
    --t-severity: var(--t-success);
  }
  .informational {
    --t-severity: var(--t-informational);
  }
  .debug {
    --t-severity: var(--t-debug);
  }
`;
