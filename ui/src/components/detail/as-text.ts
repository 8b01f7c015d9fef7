import type { Event } from "../../api/event.js";
import { strings } from "../../strings/strings.js";
import { causeOf } from "../cause.js";
import { exactTime } from "../time.js";

/** An event as a text for a mail, a chat or a ticket, which can be read as Markdown too. */
export function asText(event: Event): string {
  const { description, severity, metadata, createdAt, id } = event;
  const cause = causeOf(metadata, description);
  const { detail } = strings;
  const part = (title: string, texts: readonly string[] = []): string[] =>
    texts.length > 0 ? [`${title}:\n${texts.map((text) => `- ${text}`).join("\n")}`] : [];
  return [
    `${strings.severity[severity]}: ${description.trim()}`,
    ...part(detail.whatHappened, cause?.happened),
    ...part(detail.more, cause?.more),
    ...part(detail.probableCause, cause?.probable),
    ...part(detail.remedy, cause?.remedies),
    ...(cause?.code ? [`${detail.code}: ${cause.code}`] : []),
    `${detail.created}: ${exactTime(createdAt)}\n${detail.id}: ${id}`,
  ].join("\n\n");
}
