import { html } from "lit";

import { isEmpty } from "../api/filter.js";
import type { Inbox } from "../inbox/inbox.js";
import { totalOf } from "../stream/counts.js";
import { strings } from "../strings/strings.js";

/** How many notifications the list has, and how many are unread. */
export function countsOf(inbox: Inbox) {
  const { counts } = inbox.session;
  const unread = counts ? totalOf(counts.unread) : undefined;
  const { total, unread: unreadOf, found, unreadInAll } = strings.list;
  // With a filter, the list has some of the notifications, and the counts are of all.
  const [ofList, ofAll] = isEmpty(inbox.filter) ? [total, unreadOf] : [found, unreadInAll];
  const first = inbox.total === undefined ? "" : ofList(inbox.total);
  const last = unread === undefined ? "" : ofAll(unread);
  return html`<span class="total">${first}${first && last ? " · " : ""}</span>${last}`;
}

/** The state of the connection. */
export function connection({ session }: Inbox, isBrowserOffline: boolean) {
  const { state } = session;
  const text = isBrowserOffline && state !== "live" ? strings.state.offline : strings.state[state];
  return html`<span class="state ${state}" role="status"><i aria-hidden="true"></i>${text}</span>`;
}
