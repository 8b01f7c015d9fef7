/**
 * Puts the license of this project into the package, and those of the packages whose code is in its files.
 * `standalone` contains all of them.
 */
import { copyFile, readFile, writeFile } from "node:fs/promises";

const ui = new URL("../", import.meta.url);

const INCLUDED = ["lit", "lit-html", "lit-element", "@lit/reactive-element", "marked"];

/** What separates two licenses. */
const LINE = `\n${"-".repeat(80)}\n\n`;

/** The license file of a package; the name differs. */
async function licenseOf(name) {
  for (const file of ["LICENSE", "LICENSE.md"]) {
    try {
      return await readFile(new URL(`node_modules/${name}/${file}`, ui), "utf8");
    } catch (error) {
      if (error.code !== "ENOENT") {
        throw error;
      }
    }
  }
  throw new Error(`the package ${name} has no license file`);
}

const parts = await Promise.all(
  INCLUDED.map(async (name) => {
    const { version } = JSON.parse(await readFile(new URL(`node_modules/${name}/package.json`, ui), "utf8"));
    return `${name} ${version}\n\n${await licenseOf(name)}`;
  }),
);
await writeFile(new URL("package/THIRD-PARTY.txt", ui), parts.join(LINE));
await copyFile(new URL("../LICENSE", ui), new URL("package/LICENSE", ui));
