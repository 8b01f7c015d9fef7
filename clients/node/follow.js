/** Follows the stream, and continues where it was stopped. */

import { readFile, rename, writeFile } from "node:fs/promises";

import { frames } from "./frames.js";

// Without the file the stream begins now.
const start = await readFile("cursor", "utf8").catch(() => undefined);
for await (const { name, cursor, data } of frames(start)) {
  if (name === "event") {
    console.log(data.severity, data.description);
  } else if (name === "updated") {
    console.log("updated:", data.event.severity, data.event.description);
  } else if (name === "live") {
    console.log("live");
  } else if (name === "reset") {
    console.log("reload the list:", data.reason);
  }
  // After the effect of the frame: a crash in between repeats the frame instead of losing it.
  await writeFile("cursor.next", cursor);
  await rename("cursor.next", "cursor");
}
