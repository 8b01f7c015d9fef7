import { readFile } from "node:fs/promises";

/**
 * The fenced blocks of a kind below a heading of a document, in their order.
 *
 * @param {string} document its name in `docs`
 * @param {string} heading
 * @param {string} kind what follows the fence
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
 * The text with another one in place of `from`, which must be there once.
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
