/** Publishing with `fetch`: retries under the same id, and a token from a file. */

import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

const EVENTS = `${process.env.TIDINGS_URL}/api/system/events`;

/** The headers of a request. The file is read each time, so that the token can be replaced. */
export async function headers() {
  const file = process.env.TIDINGS_TOKEN_FILE;
  const token = file && (await readFile(file, "utf8")).trim();
  return { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
}

/** Publishes one event, or an array of them. Each must have an `id`, so that a repeat is stored once. */
export async function publish(events, end = Date.now() + 60_000) {
  for (let limit = 1_000; ; limit = Math.min(2 * limit, 30_000)) {
    let error;
    let seconds = 0;
    try {
      const response = await fetch(EVENTS, {
        method: "POST",
        headers: await headers(),
        body: JSON.stringify(events),
        redirect: "error",
        signal: AbortSignal.timeout(30_000),
      });
      if (response.ok) {
        return await response.json();
      }
      // A proxy can respond with something else than JSON.
      const body = await response.json().catch(() => ({}));
      const details = [body.longDescription, body.suggestedRemediation].flat().join("; ");
      error = new Error(`status ${response.status}, ${body.code}: ${body.error}: ${details}`);
      if (response.status < 500 && response.status !== 408 && response.status !== 429) {
        throw Object.assign(error, { code: body.code, isFinal: true });
      }
      seconds = Math.min(Number(response.headers.get("retry-after") ?? 0) || 0, 60);
    } catch (fault) {
      if (fault.isFinal) {
        throw fault;
      }
      error ??= fault;
    }
    const pause = seconds * 1_000 + Math.random() * limit;
    if (Date.now() + pause > end) {
      throw error;
    }
    await wait(pause);
  }
}
