/** `@tidings/inbox/client`: the inbox as a model, its live stream and the HTTP API, without elements. */
export { Client, type Selection } from "../api/client.js";
export type { Access, GetToken } from "../api/credential.js";
export { ApiError } from "../api/error.js";
export { type Event, type EventKey, eventKey } from "../api/event.js";
export { type EventFilter, SEVERITIES, isSame } from "../api/filter.js";
export type { Cursor, Severity, Status } from "../api/schema.js";
export { Inbox, type Loading } from "../inbox/inbox.js";
export type { Line } from "../inbox/lines.js";
export { Session, type SessionListener, sessionOf } from "../inbox/session.js";
export { type Counts, type CountsBySeverity, totalOf } from "../stream/counts.js";
export type { StreamState } from "../stream/follow.js";
export type { Frame } from "../stream/frame.js";
