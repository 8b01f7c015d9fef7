import { readFile } from "node:fs/promises";

/**
 * Returns the fenced blocks of a kind below a heading of a document, in order.
 *
 * @param {string} document the file name in `docs`
 * @param {string} heading
 * @param {string} kind the text after the fence
 */
export async function blocks(document, heading, kind) {
  const text = await readFile(new URL(`../../docs/${document}`, import.meta.url), "utf8");
  const [, level] = text.match(new RegExp(`^(#+) ${heading}$`, "m")) ?? [];
  if (!level) {
    throw new Error(`${document} has no heading ${JSON.stringify(heading)}`);
  }
  const [, rest] = text.split(`\n${level} ${heading}\n`);
  const [section] = rest.split(new RegExp(`^#{1,${level.length}} `, "m"));
  return [...section.matchAll(/^```(.*)\n([^]*?)^```$/gm)]
    .filter(([, info]) => info === kind)
    .map(([, , block]) => block);
}

/**
 * Replaces `from`, which must occur exactly once.
 *
 * @param {string} text
 * @param {string} from
 * @param {string} to
 */
export function swap(text, from, to) {
  if (text.split(from).length !== 2) {
    throw new Error(`${JSON.stringify(from)} is not there once: ${text}`);
  }
  return text.replace(from, () => to);
}
