/** Whether the browser lets this page tell the desktop something, or could be asked. */
export function canTell(): boolean {
  return typeof Notification !== "undefined" && Notification.permission !== "denied";
}

/** Asks the reader, where the browser has not been told yet; only as the answer to a click. */
export async function askToTell(): Promise<boolean> {
  if (!canTell()) {
    return false;
  }
  return (await Notification.requestPermission()) === "granted";
}

/** Tells the desktop; `open` is called when the reader follows it. */
export function tell(title: string, body: string, id: string, open: () => void): void {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") {
    return;
  }
  // The tag has the desktop show one only, whatever the tabs do.
  const shown = new Notification(title, { body, tag: `tidings:${id}` });
  shown.onclick = () => {
    window.focus();
    shown.close();
    open();
  };
}
