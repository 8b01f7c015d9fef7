/** The command that a key triggers. */
export type KeyAction =
  | "next"
  | "previous"
  | "toggle"
  | "mark"
  | "remove"
  | "choose"
  | "extend"
  | "chooseAll"
  | "undo"
  | "older"
  | "search"
  | "release"
  | "help"
  | "escape";

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  j: "next",
  ArrowDown: "next",
  k: "previous",
  ArrowUp: "previous",
  o: "toggle",
  e: "mark",
  "#": "remove",
  Delete: "remove",
  x: "choose",
  X: "extend",
  "*": "chooseAll",
  z: "undo",
  t: "older",
  "/": "search",
  n: "release",
  "?": "help",
  Escape: "escape",
};

/**
 * Returns the command for a key, if any. Keys with modifiers other than Shift belong to the browser, keys
 * typed into a field or dialog belong to it, and Enter and Space on a button belong to the
 * button.
 */
export function keyAction(key: KeyboardEvent, inbox: HTMLElement): KeyAction | undefined {
  if (key.ctrlKey || key.metaKey || key.altKey || key.defaultPrevented) {
    return undefined;
  }
  const path = key.composedPath();
  const inside = path.includes(inbox) ? path.slice(0, path.indexOf(inbox)) : path;
  if (inside.some((element) => element instanceof HTMLElement && takesKeys(element))) {
    return undefined;
  }
  return Object.hasOwn(ACTIONS, key.key) ? ACTIONS[key.key] : undefined;
}

function takesKeys(element: HTMLElement): boolean {
  return (
    element.isContentEditable ||
    element instanceof HTMLSelectElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLDialogElement ||
    (element instanceof HTMLInputElement && element.type !== "checkbox")
  );
}
