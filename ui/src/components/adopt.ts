import type { LitElement } from "lit";

/** Where React keeps the properties of an element, on the element. */
const KEPT = "__reactProps$";

/**
 * Gives an element what React could not give it while its script was not there. React writes an attribute
 * then, which holds no function and no object, and does not try again; but it keeps what it was given.
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
