import type { ErrorCode, Severity } from "../api/schema.js";
import { number } from "./number.js";

const plural = (count: number, one: string, many: string): string =>
  `${number(count)} ${count === 1 ? one : many}`;

const notifications = (count: number): string => plural(count, "notification", "notifications");

const severity: Record<Severity, string> = {
  emergency: "Emergency",
  alert: "Alert",
  critical: "Critical",
  error: "Error",
  warning: "Warning",
  success: "Success",
  informational: "Info",
  debug: "Debug",
};

/** The English texts of the page, including those for screen readers. */
export const english = {
  /** The language of the texts. */
  locale: "en",
  title: "Notifications",
  number,
  severity,
  /** Names of categories, actions and keys of the metadata; others are shown as they are, with spaces. */
  names: {} as Readonly<Record<string, string>>,
  /** What failed, by the error's code; for other codes, the server says it. */
  errors: { unreachable: "The server cannot be reached" } as Readonly<
    Partial<Record<ErrorCode | "unreachable" | "unreadable", string>>
  >,
  time: {
    now: "now",
    minutes: (count: number) => `${count} min. ago`,
    hours: (count: number) => `${count} hr. ago`,
    days: (count: number) => (count === 1 ? "yesterday" : `${count} days ago`),
    soon: "soon",
    today: "Today",
    yesterday: "Yesterday",
    weekdays: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
  },
  bell: {
    label: (unread: number) =>
      unread === 0 ? "Notifications" : `Notifications, ${number(unread)} unread`,
    more: "99+",
    close: "Close notifications",
  },
  state: {
    connecting: "Connecting…",
    live: "Live",
    waiting: "Connection lost, reconnecting…",
    offline: "You are offline",
    "signed-out": "You are signed out",
    refused: "Live updates were rejected by the server",
    reloaded: "Some updates were missed. The list has been refreshed.",
  },
  list: {
    label: "Notifications, newest first",
    loading: "Loading…",
    nothing: "No notifications yet",
    nothingHint: "New notifications appear here as they happen.",
    signedOutHint: "Sign in again to see your notifications. None are lost.",
    noMatch: "No notifications match",
    clearFilters: "Clear all filters",
    failed: "Could not load notifications",
    gone: "This notification no longer exists",
    notLoaded: "This notification is further down, among the earlier steps of its operation",
    again: "Try again",
    held: (count: number) => `${number(count)} new`,
    arrived: (count: number) => plural(count, "new notification", "new notifications"),
    total: (count: number) => notifications(count),
    unread: (count: number) => `${number(count)} unread`,
    found: (count: number) => plural(count, "match", "matches"),
    unreadInAll: (count: number) => `${number(count)} unread in all`,
    readAll: "Mark all as read",
    readMatches: "Mark matches as read",
    end: "You’ve reached the end",
  },
  row: {
    unread: "Unread",
    system: "System",
    select: (title: string) => `Select: ${title}`,
    markRead: "Mark as read",
    markUnread: "Mark as unread",
    remove: "Delete",
    older: (count: number) => plural(count, "earlier step", "earlier steps"),
    unreadSteps: (count: number) => `${number(count)} unread`,
    hideOlder: "Hide earlier steps",
    onlyOperation: "Show only this operation",
  },
  progress: {
    label: "Progress",
    percent: (count: number) => `${count}%`,
  },
  detail: {
    plain: "Could not load the full view. Reload the page if the problem persists.",
    whatHappened: "What happened",
    probableCause: "Probable cause",
    remedy: "What to do next",
    more: "More details",
    code: "Error code",
    documentation: "Documentation",
    metadata: "Details",
    copyText: "Copy text",
    copy: "Copy as JSON",
    copyShort: "Copy",
    copied: "Copied",
    copiedSteps: (count: number) => `Copied ${notifications(count)}`,
    copyFailed: "Copying is blocked by the browser",
    permalink: "Copy link",
    facts: "About this notification",
    entries: (count: number) => plural(count, "entry", "entries"),
    id: "ID",
    operation: "Operation",
    actedUpon: "Resource",
    created: "Created",
    expires: "Expires",
    status: "Status",
    read: "Read",
    unread: "Unread",
    nothing: "nothing",
    truncated: (count: number) => `and ${number(count)} more`,
    showMore: (count: number) => `Show ${number(count)} more`,
    download: (name: string) => `Save ${name} as a file`,
  },
  report: {
    component: "Component",
    kind: "Kind",
    context: "Context",
    result: "Result",
    message: "Message",
    ok: "OK",
    failed: "Failed",
    model: "Model",
    components: "Components",
    relationships: "Relationships",
    errors: "Errors",
    field: "Field",
  },
  filter: {
    search: "Search descriptions, or an ID",
    severities: "Severity, with unread counts",
    status: "Status",
    anyStatus: "All",
    unread: "Unread",
    read: "Read",
    more: "Filters",
    category: "Category",
    action: "Action",
    source: "Source",
    anySource: "Any source",
    user: "Personal",
    system: "System",
    time: "Time",
    anyTime: "Any time",
    lastHour: "Last hour",
    lastDay: "Last 24 hours",
    lastWeek: "Last 7 days",
    since: (time: string) => `Since ${time}`,
    until: (time: string) => `Until ${time}`,
    operation: "One operation",
    remove: (name: string) => `Remove the filter ${name}`,
    any: "Any",
    active: "Active filters",
  },
  choice: {
    /** A selected operation counts each of its steps, so `count` can exceed `lines`. */
    count: (count: number, lines: number) =>
      count > lines ? `${notifications(count)} selected` : `${number(count)} selected`,
    all: (count: number) => `All ${number(count)} matching notifications are selected`,
    selectAll: (count: number) => `Select all ${number(count)} matching`,
    clear: "Clear selection",
  },
  work: {
    names: {
      read: "Marking as read",
      unread: "Marking as unread",
      delete: "Deleting",
    } as Readonly<Record<string, string>>,
    progress: (name: string, done: number, count: number) =>
      `${name}: ${number(done)} of ${number(count)}`,
  },
  notice: {
    deleted: (count: number, first: string | undefined) => {
      const text = `${notifications(count)} deleted`;
      if (first === undefined) {
        return text;
      }
      return count > 1 ? `${text}: ${first} and ${number(count - 1)} more` : `${text}: ${first}`;
    },
    unchanged: (wanted: "mark" | "delete", count: number, first: string | undefined) => {
      const text = `Could not ${wanted} ${count > 1 || first === undefined ? notifications(count) : first}`;
      return count > 1 && first !== undefined ? `${text}: ${first} and ${number(count - 1)} more` : text;
    },
    undo: "Undo",
    dismiss: "Dismiss",
  },
  settings: {
    open: "Settings",
    title: "Notification settings",
    readOnOpen: "Mark a notification as read when I open it",
    keys: "Single-key keyboard shortcuts",
    toasts: "Pop-ups on this page",
    desktop: "Desktop notifications while this tab is in the background",
    denied: "Notifications are blocked by the browser. Allow notifications for this site first.",
    close: "Done",
    failed: "Could not load the dialog. Reload the page if the problem persists.",
  },
  toasts: {
    label: "New notifications",
    dismiss: "Dismiss",
  },
  help: {
    open: "Keyboard shortcuts",
    title: "Keyboard shortcuts",
    close: "Close",
    keys: [
      ["j, ↓", "Next"],
      ["k, ↑", "Previous"],
      ["Enter, o", "Open or close"],
      ["e", "Mark as read or unread"],
      ["#, Delete", "Delete"],
      ["x", "Select or deselect"],
      ["Shift+x", "Select up to this line"],
      ["*", "Select all matching"],
      ["z", "Undo the last deletion"],
      ["t", "Show or hide earlier steps"],
      ["/", "Search"],
      ["n", "Show new notifications"],
      ["?", "This help"],
      ["Esc", "Close, or clear the selection"],
    ] as readonly (readonly [string, string])[],
  },
};
