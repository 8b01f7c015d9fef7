import type { Cursor } from "./schema.js";

/** The part of a cursor that stands for its user and this life of the store. */
export function tagOf(cursor: Cursor): string {
  return cursor.slice(cursor.lastIndexOf("-") + 1);
}
