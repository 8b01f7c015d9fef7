/** Following the stream with `fetch`: frames of any number of connections. */

import { setTimeout as wait } from "node:timers/promises";

import { headers } from "./publish.js";

const STREAM = `${process.env.TIDINGS_URL}/api/system/events/subscribe`;

/** Three keepalives of the server. */
const SILENCE_MS = 45_000;

/** Yields frames after a cursor. A lost connection is resumed; an error is one that another attempt cannot resolve. */
export async function* frames(cursor) {
  let base = 1_000;
  for (let failures = 0; ; failures += 1) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const response = await fetch(STREAM, {
        headers: { ...(await headers()), accept: "text/event-stream", ...(cursor && { "last-event-id": cursor }) },
        redirect: "error",
        signal: silence.signal,
      });
      if (!response.ok) {
        const error = new Error(`the stream was rejected with status ${response.status}: ${await response.text()}`);
        const isTemporary = response.status >= 500 || response.status === 408 || response.status === 429;
        throw Object.assign(error, { isFinal: !isTemporary });
      }
      let text = "";
      let frame = {};
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(timer);
        const lines = (text + piece).split("\n");
        text = lines.pop();
        for (const line of lines) {
          const [, field, value] = line.match(/^([^:]*):? ?(.*)$/);
          if (field === "retry") {
            base = Math.min(Math.max(Number(value), 100), 300_000);
          } else if (line !== "") {
            frame[field] = value;
          } else if (frame.data !== undefined) {
            failures = 0;
            cursor = frame.id;
            yield { name: frame.event ?? "event", cursor, data: JSON.parse(frame.data) };
            frame = {};
          }
        }
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
      }
    } catch (error) {
      if (error.isFinal) {
        throw error;
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
    await wait(Math.random() * Math.min(base * 2 ** failures, Math.max(base, 30_000)));
  }
}
