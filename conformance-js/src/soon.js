/** A deadline far beyond any step; reaching it means that a step is stuck. */
const STUCK_MS = 60_000;

/**
 * Waits for a promise with a deadline.
 *
 * @template T
 * @param {string | (() => string)} what describes the missing result in the error
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export async function soon(what, promise) {
  let timer;
  const stuck = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const text = typeof what === "string" ? what : what();
      reject(new Error(`${text}: nothing for ${STUCK_MS / 1000} s`));
    }, STUCK_MS);
  });
  try {
    return await Promise.race([promise, stuck]);
  } finally {
    clearTimeout(timer);
  }
}
