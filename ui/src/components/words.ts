import type { ApiError } from "../api/error.js";
import type { Event } from "../api/event.js";
import { strings } from "../strings/strings.js";

/** The maximum length of a title, in characters; the detail view has the full text. */
const TITLE_CHARACTERS = 200;

/** Converts a category or action to words: `service_account` becomes "service account", unless the texts name it. */
export function words(name: string): string {
  return nameOf(name) ?? name.replaceAll("_", " ");
}

/** The host's name of a category, an action or a key of the metadata. */
export function nameOf(name: string): string | undefined {
  return Object.hasOwn(strings.names, name) ? strings.names[name] : undefined;
}

/** Why a request failed, and what to do. */
export function reasonsOf({ code, message, remedies }: ApiError): readonly string[] {
  const reason = strings.errors[code];
  return reason === undefined ? [message, ...remedies] : [reason];
}

/** What an event is about: its category and its action. */
export function kindOf({ category, action }: Event): string {
  const name = words(category);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} · ${words(action)}`;
}

/** The one-line title of an event. */
export function titleOf(event: Event): string {
  const text = event.description.trim();
  if (text === "") {
    return `${words(event.category)}: ${words(event.action)}`;
  }
  const line = text.split("\n", 1)[0] ?? text;
  return line.length > TITLE_CHARACTERS ? `${line.slice(0, TITLE_CHARACTERS)}…` : line;
}

/** Whether the title shows the whole description. */
export function isTitleWhole({ description }: Event): boolean {
  return !description.trim().includes("\n") && description.length <= TITLE_CHARACTERS;
}

/** The screen reader text of an event. */
export function spokenOf(event: Event): string {
  return `${strings.severity[event.severity]}: ${titleOf(event)}`;
}
