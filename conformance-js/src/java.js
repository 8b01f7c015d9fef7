/** The generated models and the programs in Java, compiled with the packages of Debian. */

import path from "node:path";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const PROGRAMS = here("../clients/java");

const JARS = ["jackson-annotations", "jackson-core", "jackson-databind", "jakarta-annotation-api"].map(
  (name) => `/usr/share/java/${name}.jar`,
);

/**
 * Runs the commands of docs/clients.md, and returns the class path of the programs.
 *
 * @param {string} directory an empty folder
 * @param {string} generate the command that generates the models
 * @param {(program: string, args: string[], options: object) => Promise<string>} run
 */
export async function compile(directory, generate, run) {
  const generator = here("../conformance-py/.venv/openapi-generator/bin");
  const env = { ...process.env, PATH: `${generator}:${process.env.PATH}` };
  const quoted = generate.replace("docs/openapi.json", here("../docs/openapi.json"));
  await run("sh", ["-euc", quoted], { cwd: directory, env });
  const classes = path.join(directory, "classes");
  const classPath = [classes, ...JARS].join(":");
  const sources = `$(find ${directory}/tidings-models/src/main -name '*.java') ${PROGRAMS}/*.java`;
  const javac = `javac -nowarn -d ${classes} -cp ${classPath} ${sources}`;
  await run("sh", ["-euc", javac], {});
  return classPath;
}
