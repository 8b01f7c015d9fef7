import { SEVERITIES, isSeverity } from "../api/filter.js";
import type { Severity } from "../api/schema.js";

/** The reader's settings for all pages of this origin. */
export interface Settings {
  /** Whether opening an event marks it as read. */
  readonly readOnOpen: boolean;
  /** Whether single-key shortcuts are active (WCAG 2.1.4). */
  readonly keys: boolean;
  /** The severities whose new events appear as toasts. */
  readonly toasts: readonly Severity[];
  /** The severities that cause desktop notifications while no page is visible. */
  readonly desktop: readonly Severity[];
}

const KEY = "tidings:settings";

const DEFAULTS: Settings = { readOnOpen: true, keys: true, toasts: [], desktop: [] };

/** The severities that need attention. */
export const URGENT: readonly Severity[] = SEVERITIES.slice(0, 5);

export function readSettings(): Settings {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
    return {
      readOnOpen: found["readOnOpen"] !== false,
      keys: found["keys"] !== false,
      toasts: severitiesOf(found["toasts"]),
      desktop: severitiesOf(found["desktop"]),
    };
  } catch {
    // The storage is blocked or holds foreign data.
    return DEFAULTS;
  }
}

export function writeSettings(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // The settings apply until the page is closed.
  }
}

function severitiesOf(value: unknown): Severity[] {
  return Array.isArray(value)
    ? value.filter((entry): entry is Severity => typeof entry === "string" && isSeverity(entry))
    : [];
}
