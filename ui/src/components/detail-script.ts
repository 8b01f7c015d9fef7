/** Whether the detail script is loaded. */
export function hasDetailScript(): boolean {
  return customElements.get("tidings-event-detail") !== undefined;
}

/**
 * Loads the detail script and returns whether that succeeded. The script can be missing because the server was
 * upgraded, or unreachable; the event is then shown without it. A later call tries again.
 */
export async function loadDetailScript(): Promise<boolean> {
  try {
    await import("./detail/detail.js");
    return true;
  } catch {
    return hasDetailScript();
  }
}
