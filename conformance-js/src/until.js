import assert from "node:assert/strict";

import { soon } from "./soon.js";

/** The polling interval, in milliseconds. */
const LOOK = 25;

/**
 * Waits until `look` returns the expected value.
 *
 * @param {string} what names the value in the error
 * @param {() => unknown} look
 * @param {unknown} expected
 */
export async function until(what, look, expected) {
  let found;
  const looking = async () => {
    for (;;) {
      found = await look();
      try {
        assert.deepEqual(found, expected);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, LOOK));
      }
    }
  };
  await soon(() => `${what} to be ${JSON.stringify(expected)}, not ${JSON.stringify(found)}`, looking());
}
