import type { ApiError } from "../api/error.js";
import type { Inbox, Loading } from "../inbox/inbox.js";
import type { Line } from "../inbox/lines.js";
import { totalOf } from "../stream/counts.js";
import type { StreamState } from "../stream/follow.js";

/** An inbox at one moment. */
export interface InboxView {
  /** The model, whose methods load, mark and delete. */
  readonly inbox: Inbox;
  /** The visible lines, newest first; each is an event or an operation. */
  readonly lines: readonly Line[];
  readonly loading: Loading;
  readonly hasMore: boolean;
  /** The number of events that match the filter, as exactly as known. */
  readonly total: number | undefined;
  /** The number of unread events, whatever the filter is. */
  readonly unread: number | undefined;
  readonly state: StreamState;
  /** The last failure. */
  readonly error: ApiError | undefined;
}

export function viewOf(inbox: Inbox): InboxView {
  const { counts, state } = inbox.session;
  return {
    inbox,
    lines: inbox.lines,
    loading: inbox.loading,
    hasMore: inbox.hasMore,
    total: inbox.total,
    unread: counts && totalOf(counts.unread),
    state,
    error: inbox.fault?.error,
  };
}
