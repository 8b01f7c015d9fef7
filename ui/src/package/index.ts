/** `@tidings/inbox`: defines the elements `tidings-bell` and `tidings-inbox`. */
export { TidingsBell } from "../components/bell.js";
export { TidingsInbox } from "../components/inbox.js";
export { setLanguage } from "../strings/strings.js";
export type { GetToken } from "../api/credential.js";
export type { Event } from "../api/event.js";
export type { EventFilter } from "../api/filter.js";
export type { Severity, Status } from "../api/schema.js";
export type { Links, TidingsAction } from "../components/links.js";
export type { StreamState } from "../stream/follow.js";
export type { Language, PartialStrings, Strings } from "../strings/strings.js";
export type { BellProps, InboxProps, TidingsEvents } from "./props.js";
