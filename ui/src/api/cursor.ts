import type { Cursor } from "./schema.js";

/** The cursor's tag, which identifies the user and the store's epoch. */
export function tagOf(cursor: Cursor): string {
  return cursor.slice(cursor.lastIndexOf("-") + 1);
}
