import { once } from "node:events";

import { soon } from "./soon.js";

/**
 * Ends a process by a signal, and waits for its end.
 *
 * @param {string} name
 * @param {import("node:child_process").ChildProcess} process
 * @param {NodeJS.Signals} signal
 * @returns {Promise<number | null>} its exit code, if it was not ended by the signal
 */
export async function end(name, process, signal) {
  const exit = once(process, "exit");
  process.kill(signal);
  const [code] = await soon(`${name} to end by ${signal}`, exit);
  return code;
}

/**
 * Whether a process was started and has not ended.
 *
 * @param {import("node:child_process").ChildProcess | undefined} process
 */
export function runs(process) {
  return process?.exitCode === null && process.signalCode === null;
}
