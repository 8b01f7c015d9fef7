/** Whether the script with the details of an event is loaded. */
export function hasDetailScript(): boolean {
  return customElements.get("tidings-event-detail") !== undefined;
}

/**
 * Loads a script and returns whether that succeeded. The script can be missing because the server was
 * upgraded, or unreachable. A later call tries again.
 */
async function load(script: () => Promise<unknown>, name: string): Promise<boolean> {
  try {
    await script();
    return true;
  } catch {
    return customElements.get(name) !== undefined;
  }
}

/** Loads the details of an event, which are shown without them until then. */
export const loadDetailScript = (): Promise<boolean> =>
  load(() => import("./detail/detail.js"), "tidings-event-detail");

/** Loads the dialogs. */
export const loadDialogs = (): Promise<boolean> => load(() => import("./dialogs.js"), "tidings-dialog");
