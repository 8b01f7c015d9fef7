/** Whether the script with the details of an event has come. */
export function hasDetailScript(): boolean {
  return customElements.get("tidings-event-detail") !== undefined;
}

/**
 * Loads the script with the details of an event; whether it has come. It may be gone, since the server was
 * upgraded, or be out of reach: then an event is shown without it. A later call tries again.
 */
export async function loadDetailScript(): Promise<boolean> {
  try {
    await import("./detail/detail.js");
    return true;
  } catch {
    return hasDetailScript();
  }
}
