/**
 * The README example of `@microsoft/fetch-event-source`, in its own process because it expects `window`
 * and `document`. Prints each message.
 */
import { createRequire } from "node:module";

globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
const { fetchEventSource } = createRequire(import.meta.url)("@microsoft/fetch-event-source");

class RetriableError extends Error {}

await fetchEventSource(process.argv[2], {
  onmessage(msg) {
    const { event, data, id } = msg;
    console.log(JSON.stringify({ name: event, data: JSON.parse(data), cursor: id }));
  },
  onclose() {
    // if the server closes the connection unexpectedly, retry:
    throw new RetriableError();
  },
  onerror(error) {
    if (error instanceof SyntaxError) {
      throw error;
    }
  },
});
