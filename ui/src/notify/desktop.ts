/** Whether desktop notifications are allowed or can be requested. */
export function canTell(): boolean {
  return typeof Notification !== "undefined" && Notification.permission !== "denied";
}

/** Requests the permission if it is undecided. Browsers require a click. */
export async function askToTell(): Promise<boolean> {
  if (!canTell()) {
    return false;
  }
  return (await Notification.requestPermission()) === "granted";
}

/** Shows a desktop notification; `open` is called when the reader clicks it. */
export function tell(title: string, body: string, id: string, open: () => void): void {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") {
    return;
  }
  // The tag replaces an earlier notification of the event, and `renotify` alerts again; TypeScript lacks it.
  const options = { body, tag: `tidings:${id}`, renotify: true };
  const shown = new Notification(title, options);
  shown.onclick = () => {
    window.focus();
    shown.close();
    open();
  };
}
