import { html } from "lit";

import type { Event } from "../../api/event.js";
import { webAddress } from "../address.js";
import { member } from "../cause.js";
import { type Links, type TidingsAction, hostAddress } from "../links.js";

/** The maximum number of actions of an event that are shown. */
const MOST = 5;

/** The maximum length of a label, in characters. */
const LABEL_CHARACTERS = 60;

/** The actions that an event offers in its metadata and that lead somewhere on this page. */
export function actionsOf(event: Event, links: Links): readonly TidingsAction[] {
  const offered = member(event.metadata, "actions");
  if (!Array.isArray(offered)) {
    return [];
  }
  const text = (value: unknown): string => (typeof value === "string" ? value.trim() : "");
  return offered
    .map((each: unknown) => {
      const [name, label, url] = ["name", "label", "url"].map((key) => text(member(each, key)));
      const target = url ? (hostAddress(links.resolveLink?.("actions", url, event)) ?? webAddress(url)) : undefined;
      return { name: name ?? "", label: (label ?? "").slice(0, LABEL_CHARACTERS), ...(target ? { url: target } : {}) };
    })
    .filter(({ name, label, url }) => label && (url ?? (name && links.hostActions)))
    .slice(0, MOST);
}

/**
 * An action as a button, or as a link if it has an address. `run` tells the host page, and returns whether the link is
 * to be followed.
 */
export function actionView(action: TidingsAction, run: (action: TidingsAction) => boolean) {
  const { label, url } = action;
  return url === undefined
    ? html`<button class="action" dir="auto" lang="" @click=${() => run(action)}>${label}</button>`
    : html`<a
        class="action"
        dir="auto"
        lang=""
        href=${url}
        rel="noopener noreferrer"
        target="_blank"
        @click=${(click: MouseEvent) => {
          if (!run(action)) {
            click.preventDefault();
          }
        }}
        >${label}</a
      >`;
}
