import type { GetToken } from "../api/credential.js";
import type { Event } from "../api/event.js";
import type { EventFilter } from "../api/filter.js";
import type { Links, TidingsAction } from "../components/links.js";
import type { StreamState } from "../stream/follow.js";
import type { Language } from "../strings/strings.js";

/** The server and the credentials for it. */
export interface AccessProps {
  readonly server?: string | undefined;
  readonly getToken?: GetToken | undefined;
}

/** The properties that both elements have. */
export interface CommonProps extends AccessProps, Links, Language {
  readonly theme?: "light" | "dark" | null | undefined;
}

/** The properties of `tidings-bell`. */
export interface BellProps extends CommonProps {
  readonly open?: boolean | undefined;
  readonly noDrawer?: boolean | undefined;
}

/** The properties of `tidings-inbox`. */
export interface InboxProps extends CommonProps {
  readonly pageKeys?: boolean | undefined;
  readonly filter?: EventFilter | undefined;
  readonly eventId?: string | undefined;
}

/** The DOM events of the elements, by what follows `tidings-` in their names, with their details. */
export interface TidingsEvents {
  readonly event: Event;
  readonly update: Event;
  readonly open: Event | null;
  readonly action: { readonly action: TidingsAction; readonly event: Event };
  readonly close: null;
  readonly filter: EventFilter;
  readonly state: { readonly state: StreamState };
}

/** What a property is when a component is not given it any more. */
const DEFAULTS = {
  server: "",
  getToken: undefined,
  theme: null,
  eventLink: undefined,
  resolveLink: undefined,
  hostActions: false,
  strings: undefined,
  locale: undefined,
} as const;

export const BELL_DEFAULTS: Record<keyof BellProps, unknown> = { ...DEFAULTS, open: false, noDrawer: false };

export const INBOX_DEFAULTS: Record<keyof InboxProps, unknown> = {
  ...DEFAULTS,
  pageKeys: false,
  filter: undefined,
  eventId: undefined,
};

export const BELL_EVENTS = ["event", "update", "open", "action"] as const satisfies readonly (keyof TidingsEvents)[];

export const INBOX_EVENTS = [
  ...BELL_EVENTS,
  "close",
  "filter",
  "state",
] as const satisfies readonly (keyof TidingsEvents)[];

type Values = Readonly<Record<string, unknown>>;

/**
 * Sets the properties of an element that differ from those of the last time. Others stay: the element may have changed
 * them itself. Before the script of the elements is loaded, the element keeps them.
 */
export function setProps(element: HTMLElement, defaults: Values, values: Values, last: Values): void {
  for (const [name, normal] of Object.entries(defaults)) {
    if (values[name] !== last[name]) {
      Reflect.set(element, name, values[name] ?? normal);
    }
  }
}

/** Loads the elements. It is called in browsers only, so a server can import what renders them. */
export async function loadElements(): Promise<void> {
  try {
    await import("./index.js");
  } catch (error) {
    console.error("@tidings/inbox: the elements could not be loaded; reload the page to try again", error);
  }
}
