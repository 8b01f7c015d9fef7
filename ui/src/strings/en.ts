import type { Severity } from "../api/schema.js";

/** Groups thousands with commas. `Intl.NumberFormat` would cost the first paint 30 ms. */
const number = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

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
export const strings = {
  locale: "en",
  title: "Notifications",
  number,
  severity,
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
    copied: "Copied",
    copiedSteps: (count: number) => `Copied ${notifications(count)}`,
    copyFailed: "Copying is blocked by the browser",
    permalink: "Copy link",
    facts: "Facts",
    id: "ID",
    operation: "Operation",
    actedUpon: "Resource",
    created: "Created",
    status: "Status",
    read: "Read",
    unread: "Unread",
    nothing: "nothing",
    truncated: (count: number) => `and ${number(count)} more`,
    download: (name: string) => `Save ${name} as a file`,
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
    ] as const,
  },
  welcome: {
    title: "Send your first event",
    lead: "This inbox is empty. An event tells a user what the server did for them: the action, the resource, the result and the next step. Send one and it appears here immediately.",
    token: "Set TIDINGS_TOKEN to your token before you run these commands.",
    command: "Command line",
    curl: "curl",
    rust: "Rust",
    send: "Send a test event",
    sent: "Sending…",
    example: "My first event: connected to the cluster",
    copy: "Copy",
  },
  signIn: {
    title: "Sign in",
    lead: "Paste your access token. It is stored as a cookie that scripts cannot read.",
    token: "Token",
    submit: "Sign in",
    out: "Sign out",
    hint: "On a development server, create a token with:",
    again: "Your session has expired. Sign in again to continue. No notifications are lost.",
  },
};
