import type { Severity } from "../api/schema.js";

/** With commas between thousands; by hand, since the browser's own way takes 30 ms the first time. */
const number = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

const plural = (count: number, one: string, many: string): string =>
  `${number(count)} ${count === 1 ? one : many}`;

const events = (count: number): string => plural(count, "event", "events");

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

/** Every text that a reader sees or hears, in English. */
export const strings = {
  locale: "en",
  title: "Notifications",
  number,
  severity,
  time: {
    now: "now",
    seconds: (count: number) => `${count} sec. ago`,
    minutes: (count: number) => `${count} min. ago`,
    hours: (count: number) => `${count} hr. ago`,
    days: (count: number) => (count === 1 ? "yesterday" : `${count} days ago`),
    soon: "soon",
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
    "signed-out": "Signed out",
    refused: "The server refuses the live stream",
    reloaded: "Changes were missed, so the list was loaded anew",
  },
  list: {
    label: "Notifications, the newest first",
    loading: "Loading…",
    nothing: "Nothing here yet",
    nothingHint: "What the server does for you will be here, the moment it happens.",
    noMatch: "Nothing matches",
    clearFilters: "Clear all filters",
    failed: "The list could not be loaded",
    gone: "That event is not there any more",
    notLoaded: "That event is further down among the steps of its operation",
    again: "Try again",
    held: (count: number) => `${number(count)} new`,
    arrived: (count: number) => plural(count, "new notification", "new notifications"),
    total: (count: number) => events(count),
    unread: (count: number) => `${number(count)} unread`,
    end: "That is all",
  },
  row: {
    unread: "Unread",
    system: "System",
    you: "You",
    select: (title: string) => `Select: ${title}`,
    markRead: "Mark as read",
    markUnread: "Mark as unread",
    remove: "Delete",
    older: (count: number) => plural(count, "earlier step", "earlier steps"),
    unreadSteps: (count: number) => `${number(count)} unread`,
    hideOlder: "Hide earlier steps",
    onlyOperation: "Show only this operation",
  },
  detail: {
    plain: "The full view could not be loaded. If this continues, reload the page.",
    whatHappened: "What happened",
    probableCause: "Probable cause",
    remedy: "What to do next",
    more: "More details",
    code: "Error code",
    documentation: "Documentation",
    metadata: "Details",
    copy: "Copy as JSON",
    copied: "Copied",
    copiedSteps: (count: number) => `Copied ${events(count)}`,
    copyFailed: "The browser does not allow copying",
    permalink: "Link to this event",
    facts: "Facts",
    id: "Event",
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
    search: "Search descriptions",
    severities: "Severities, with how many are unread",
    status: "Status",
    anyStatus: "Read and unread",
    unread: "Unread",
    read: "Read",
    more: "Filters",
    category: "Category",
    action: "Action",
    source: "Source",
    anySource: "Everybody",
    user: "You",
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
    /** Of operations the events are counted, which are more than the lines. */
    count: (count: number, lines: number) =>
      count > lines ? `${events(count)} selected` : `${number(count)} selected`,
    all: (count: number) => `All ${number(count)} that match are selected`,
    selectAll: (count: number) => `Select all ${number(count)} that match`,
    clear: "Clear the selection",
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
      const text = `${events(count)} deleted`;
      if (first === undefined) {
        return text;
      }
      return count > 1 ? `${text}: ${first} and ${number(count - 1)} more` : `${text}: ${first}`;
    },
    undo: "Undo",
    dismiss: "Dismiss",
  },
  settings: {
    open: "Settings",
    title: "Notification settings",
    readOnOpen: "Mark an event as read when I open it",
    keys: "Keyboard shortcuts of a single key",
    toasts: "Show a pop-up in the page for",
    desktop: "Tell my desktop, while I look elsewhere, of",
    denied: "The browser does not allow it. Allow notifications for this page first.",
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
      ["x", "Select"],
      ["Shift+x", "Select up to here"],
      ["*", "Select all that match"],
      ["z", "Undo a deletion"],
      ["t", "Show or hide the earlier steps"],
      ["/", "Search"],
      ["n", "Show what is new"],
      ["?", "This help"],
      ["Esc", "Close, or clear the selection"],
    ] as const,
  },
  welcome: {
    title: "Send your first event",
    lead: "This inbox is empty. An event tells a user what the server is doing for them: who did what, to which resource, how it went, and what to do next. It will appear here the moment it is committed.",
    token: "Set TIDINGS_TOKEN to your token before you run a command.",
    command: "With the command",
    curl: "With curl",
    rust: "From Rust",
    send: "Send me one",
    sent: "On its way…",
    example: "My first event: the connection to the cluster works",
    copy: "Copy",
  },
  signIn: {
    title: "Sign in",
    lead: "This server needs a token, which says who you are. It is exchanged for a cookie that scripts cannot read.",
    token: "Token",
    submit: "Sign in",
    out: "Sign out",
    hint: "On a development server, make one with:",
    again: "Your session has ended. Sign in again to go on; nothing is missed.",
  },
};
