import type { Event } from "../api/schema.js";
import { strings } from "../strings/en.js";

/** A title on screen, in characters; the whole text is in the details. */
const TITLE_CHARACTERS = 200;

/** A category or an action as words: `service_account` is "service account". */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** What an event says in one line. */
export function titleOf(event: Event): string {
  const text = event.description.trim();
  if (text === "") {
    return `${words(event.category)}: ${words(event.action)}`;
  }
  const line = text.split("\n", 1)[0] ?? text;
  return line.length > TITLE_CHARACTERS ? `${line.slice(0, TITLE_CHARACTERS)}…` : line;
}

/** Whether the title is all that an event's description says. */
export function isTitleWhole({ description }: Event): boolean {
  return !description.trim().includes("\n") && description.length <= TITLE_CHARACTERS;
}

/** What is said of an event to who does not see it. */
export function spokenOf(event: Event): string {
  return `${strings.severity[event.severity]}: ${titleOf(event)}`;
}
