import type { Deletion, Event as StoredEvent, OwnerKind, Status, StatusChange } from "./schema.js";
import { laterOf } from "./times.js";

/** An event, and whether it is the user's own or the system's, whose events every user sees. */
export interface Event extends StoredEvent {
  readonly ownerKind: OwnerKind;
}

/** Identifies an event among those that a user sees. An id alone is unique only within the feed of its owner. */
export type EventKey = `${OwnerKind}:${string}`;

/** The keys of the events that a name can mean, the user's own event first. A list has at most one of them. */
export type Meant = readonly EventKey[];

export function eventKey({ id, ownerKind }: Pick<Event, "id" | "ownerKind">): EventKey {
  return `${ownerKind}:${id}`;
}

/** Adds whose event it is; the system's events belong to the installation. */
export function withOwnerKind(event: StoredEvent, systemId: string): Event {
  return { ...event, ownerKind: event.owner === systemId ? "system" : "user" };
}

/** An event after a change of status. The changes of a system event arrive from two feeds, in any order. */
export function markedAs(known: Event, status: Status, at: string): Event {
  return { ...known, status, updatedAt: known.ownerKind === "system" ? laterOf(known.updatedAt, at) : at };
}

/** An event after an update by its publisher. Of a system event, each reader keeps their own status. */
export function replacedBy(known: Event, update: Event): Event {
  return known.ownerKind === "system" ? markedAs(update, known.status, known.updatedAt) : update;
}

/** Splits a key, or a plain id, whose kind of owner is unknown. */
export function partsOf(name: string): { readonly id: string; readonly ownerKind?: OwnerKind } {
  const [, ownerKind, id] = /^(user|system):(.*)$/s.exec(name) ?? [];
  return id === undefined ? { id: name } : { id, ownerKind: ownerKind as OwnerKind };
}

/** What a key or a plain id means. */
export function meantBy(name: string): Meant {
  const { id, ownerKind } = partsOf(name);
  return ownerKind ? [`${ownerKind}:${id}`] : [`user:${id}`, `system:${id}`];
}

/** The events that a frame reports. An id that changed in both feeds is there twice. */
export function meantByChange({ ids, systemIds }: Pick<StatusChange | Deletion, "ids" | "systemIds">): Meant[] {
  if (!systemIds) {
    return ids.map(meantBy);
  }
  const left = [...systemIds];
  return ids.map((id) => {
    const index = left.indexOf(id);
    if (index < 0) {
      return [`user:${id}`];
    }
    left.splice(index, 1);
    return [`system:${id}`];
  });
}

/** A link's name for an event: the id, with `system:` if it is the system's. */
export function linkName(event: Event): string {
  return event.ownerKind === "user" ? event.id : eventKey(event);
}
