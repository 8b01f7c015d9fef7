import { randomUUID } from "node:crypto";

const SEVERITIES = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "success",
  "informational",
  "debug",
];

/** Texts that break a careless line parser. */
const DESCRIPTIONS = [
  "plain",
  "",
  "two\nlines\r\nand a third",
  "data: not a field\n\nid: 1",
  "Grüße, 你好, 🛰️, \u2028\u2029\u0085",
  'a "quote" and a \\',
];

let count = 0;

/**
 * Returns events to publish, for the user or the system, with all severities in turn.
 *
 * @param {number} number
 * @param {object} fields the fields that all of them share
 */
export function drafts(number, fields = {}) {
  return Array.from({ length: number }, () => {
    count += 1;
    return {
      id: randomUUID(),
      actedUpon: "7b1d2c3e-0000-4000-8000-000000000001",
      category: "deployment",
      action: count % 2 === 0 ? "apply" : "undo",
      severity: SEVERITIES[count % SEVERITIES.length],
      description: `${count}: ${DESCRIPTIONS[count % DESCRIPTIONS.length]}`,
      metadata: { number: count, text: DESCRIPTIONS[count % DESCRIPTIONS.length] },
      ...fields,
    };
  });
}
