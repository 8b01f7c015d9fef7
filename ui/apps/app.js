import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const UI = path.join(import.meta.dirname, "..");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** Runs a program in a folder and returns what it prints; its output is part of the error if it fails. */
export async function runIn(folder, program, ...args) {
  const env = { ...process.env, NO_COLOR: "1" };
  try {
    return (await run(program, args, { cwd: folder, env })).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")} failed in ${folder}\n${error.stdout}\n${error.stderr}`);
  }
}

/** The npm package as it is published: built from the sources and packed into a file. */
export class Tarball {
  #folder;

  constructor(folder, file, list) {
    this.#folder = folder;
    this.file = path.join(folder, file);
    /** The paths of its files. */
    this.list = list;
  }

  static async pack() {
    await runIn(UI, "npm", "run", "--silent", "package");
    const folder = await mkdtemp(path.join(os.tmpdir(), "tidings-package-"));
    const packed = await runIn(path.join(UI, "package"), "npm", "pack", "--json", "--pack-destination", folder);
    const [{ filename, files }] = JSON.parse(packed);
    return new Tarball(folder, filename, files.map((file) => file.path));
  }

  async dispose() {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A copy of an app in a temporary folder, with the package installed from its tarball. */
export class App {
  /** @type {import("node:http").Server | undefined} */
  #server;
  /** What is put into the page in place of `<!--app-->`. */
  rendered = "";

  constructor(folder) {
    this.folder = folder;
  }

  /** Copies an app whose dependencies `npm ci` has installed. */
  static async install(name, tarball) {
    const folder = await mkdtemp(path.join(os.tmpdir(), `tidings-app-${name}-`));
    await cp(path.join(import.meta.dirname, name), folder, { recursive: true, verbatimSymlinks: true });
    const app = new App(folder);
    await app.run("npm", "install", "--no-save", "--no-package-lock", "--offline", "--ignore-scripts", tarball.file);
    return app;
  }

  run(program, ...args) {
    return runIn(this.folder, program, ...args);
  }

  /** Bundles a module for browsers, as the app does, and returns what is built. */
  async bundle(name, program) {
    const input = path.join(this.folder, name);
    await writeFile(input, program);
    const { build } = await import(pathToFileURL(path.join(this.folder, "node_modules/vite/dist/node/index.js")).href);
    const { output } = await build({
      root: this.folder,
      logLevel: "error",
      build: { write: false, rollupOptions: { input } },
    });
    return output;
  }

  /** The files of the installed package, with their contents. */
  async files(under = "") {
    const folder = path.join(this.folder, "node_modules/@tidings/inbox", under);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return Promise.all(
      files.map(async (file) => ({ name: path.relative(folder, file), text: await readFile(file, "utf8") })),
    );
  }

  /**
   * Serves a folder of the app under a strict policy, with a token at `/token`. The page learns the address of the
   * Tidings server from the attribute `data-server`.
   */
  async serve(built, { token }) {
    this.#server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url, "http://app");
      if (pathname === "/token") {
        response.end(await token());
        return;
      }
      const name = pathname === "/" ? "/index.html" : pathname;
      try {
        let content = await readFile(path.join(this.folder, built, path.normalize(name)));
        response.setHeader("content-type", TYPES[path.extname(name)] ?? "application/octet-stream");
        if (name === "/index.html") {
          response.setHeader("content-security-policy", policy(this.tidings));
          content = content
            .toString()
            .replace("<html", `<html data-server="${this.tidings}"`)
            .replace("<!--app-->", () => this.rendered);
        }
        response.end(content);
      } catch {
        response.statusCode = 404;
        response.end("there is no such page");
      }
    });
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this.origin;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  async dispose() {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The strictest policy that these pages can have: Vue's runtime has a policy of its own for trusted types. */
const policy = (tidings) =>
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  `connect-src 'self' ${tidings}; require-trusted-types-for 'script'; trusted-types lit-html vue`;
