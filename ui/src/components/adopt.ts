import type { LitElement } from "lit";

/** The prefix of the key under which React stores an element's props on the element. */
const KEPT = "__reactProps$";

/**
 * Applies properties that React set before the element's script was loaded. React then writes an attribute,
 * which cannot hold a function or an object, and does not retry; but it keeps the props.
 */
export function adoptReactProps(element: LitElement): void {
  const all = Object.entries(element);
  const kept: unknown = all.find(([name]) => name.startsWith(KEPT))?.[1];
  if (typeof kept !== "object" || kept === null) {
    return;
  }
  const { elementProperties } = element.constructor as typeof LitElement;
  for (const [name, { state }] of elementProperties) {
    if (!state && Object.hasOwn(kept, name)) {
      Reflect.set(element, name, Reflect.get(kept, name));
    }
  }
}
