import { type Event, linkName } from "../api/event.js";

/** The links into a host page, which only that page knows. */
export interface Links {
  /** Returns the address that a link to an event has. */
  readonly eventLink?: ((event: Event) => string | undefined) | undefined;
  /** Returns the address that a value of the metadata leads to. */
  readonly resolveLink?: ((key: string, value: string, event: Event) => string | undefined) | undefined;
  /** Whether the page runs actions without an address itself, when `tidings-action` is fired. */
  readonly hostActions?: boolean | undefined;
}

/** Something that the publisher of an event offers in `metadata.actions`. */
export interface TidingsAction {
  /** What a host page knows the action by; empty if it has an address only. */
  readonly name: string;
  readonly label: string;
  /** The address that it leads to unless the page prevents that. */
  readonly url?: string;
}

/** The link to an event: the host's, or one to the server's own page. */
export function linkTo(event: Event, { eventLink }: Links, server: string): string {
  return (
    hostAddress(eventLink?.(event)) ?? `${server}/?event=${encodeURIComponent(linkName(event))}`
  );
}

/** An address from the host page, which can be relative; `undefined` for scripts and what is no address. */
export function hostAddress(address: unknown): string | undefined {
  if (typeof address !== "string" || !URL.canParse(address, location.href)) {
    return undefined;
  }
  const { protocol, href } = new URL(address, location.href);
  return protocol === "https:" || protocol === "http:" ? href : undefined;
}
