/** The entry point that defines the elements `tidings-bell` and `tidings-inbox`. */
export { TidingsBell } from "./components/bell.js";
export { TidingsInbox } from "./components/inbox.js";
