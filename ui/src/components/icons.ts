import { type SVGTemplateResult, html, svg } from "lit";

import type { Severity } from "../api/schema.js";

const icon = (shape: SVGTemplateResult) =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;

/**
 * One shape per severity, because colour alone is not accessible. Accepts any name: a newer server can send
 * severities that this page does not know.
 */
const SEVERITY: Readonly<Partial<Record<string, SVGTemplateResult>>> & Record<"debug", SVGTemplateResult> = {
  emergency: svg`<path class="solid" d="M7 18v-6a5 5 0 0 1 10 0v6z"/><path d="M5 21h14M12 3V1M4.5 6 3 4.5M19.5 6 21 4.5"/>`,
  alert: svg`<path class="solid" d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/><path class="cut" d="M12 7v6M12 17h.01"/>`,
  critical: svg`<path class="solid" d="M12 1.5 22.5 12 12 22.5 1.5 12z"/><path class="cut" d="m9.5 9.5 5 5M14.5 9.5l-5 5"/>`,
  error: svg`<circle cx="12" cy="12" r="10"/><path d="m9 9 6 6M15 9l-6 6"/>`,
  warning: svg`<path d="M12 3 1.8 20.5h20.4z"/><path d="M12 10v4M12 17.5h.01"/>`,
  success: svg`<circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/>`,
  informational: svg`<circle cx="12" cy="12" r="10"/><path d="M12 11v6M12 7h.01"/>`,
  debug: svg`<rect x="3" y="4" width="18" height="16" rx="2"/><path d="m7 9 3 3-3 3M13 15h4"/>`,
};

export const severityIcon = (severity: Severity) =>
  icon(SEVERITY[severity] ?? SEVERITY.debug);

export const bellIcon = () =>
  icon(svg`<path d="M6 9a6 6 0 0 1 12 0c0 6 2.5 7.5 2.5 7.5h-17S6 15 6 9M10 20a2.2 2.2 0 0 0 4 0"/>`);
export const closeIcon = () => icon(svg`<path d="m6 6 12 12M18 6 6 18"/>`);
export const searchIcon = () => icon(svg`<circle cx="11" cy="11" r="7"/><path d="m21 21-4.9-4.9"/>`);
export const filterIcon = () => icon(svg`<path d="M3 5h18M6 12h12M10 19h4"/>`);
export const gearIcon = () =>
  icon(svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`);
export const helpIcon = () =>
  icon(svg`<rect x="2" y="5" width="20" height="14" rx="2"/><path d="M6 9h.01M10 9h.01M14 9h.01M18 9h.01M8 15h8"/>`);
export const readIcon = () =>
  icon(svg`<path d="M3 9.5 12 4l9 5.5V20H3zM3 9.5l9 6 9-6"/>`);
export const unreadIcon = () =>
  icon(svg`<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m3 7 9 6 9-6"/>`);
export const trashIcon = () =>
  icon(svg`<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5"/>`);
export const chevronIcon = () => icon(svg`<path d="m9 6 6 6-6 6"/>`);
export const linkIcon = () =>
  icon(svg`<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17"/>`);
export const copyIcon = () =>
  icon(svg`<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V4h11v1"/>`);
