import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { blocks, swap } from "./docs.js";
import { end, runs } from "./end.js";
import { accepts, freePort } from "./port.js";
import { soon } from "./soon.js";

const run = promisify(execFile);

/** The server's address in the documents. */
const SERVER = "127.0.0.1:9081";

/** The host name of the certificates in the documents. */
export const HOST = "events.example.org";

/**
 * @typedef {object} Setup
 * @property {string} server the server's host and port
 * @property {number} port the proxy's port
 * @property {boolean} isBelow whether the server is served below a path
 * @property {string} host the host name that browsers use
 * @property {string} [block] replaces the documented configuration
 * @property {boolean} isPlain whether the proxy runs without TLS
 * @property {string} directory contains `events.pem`, a certificate and its key
 */

/** How to run each proxy with the blocks of docs/operations.md, and its public address. */
const KINDS = {
  nginx: {
    hasTls: true,
    /** @param {Setup} setup */
    async command({ server, port, isBelow, host, block, directory }) {
      const documented = await blocks("operations.md", "nginx", "nginx");
      const locations = swap(block ?? documented[isBelow ? 1 : 0], SERVER, server);
      const file = path.join(directory, "nginx.conf");
      await writeFile(
        file,
        `daemon off; master_process off; pid ${directory}/pid; error_log stderr warn;
events {}
http {
  access_log off;
  gzip on;
  gzip_proxied any;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server {
    listen 127.0.0.1:${port} ssl http2;
    server_name ${host};
    ssl_certificate ${directory}/events.pem;
    ssl_certificate_key ${directory}/events.pem;
${locations}
  }
}
`,
      );
      return ["nginx", "-c", file, "-p", directory, "-e", "stderr"];
    },
  },
  haproxy: {
    hasTls: true,
    /** @param {Setup} setup */
    async command({ server, port, isBelow, isPlain, directory }) {
      const [whole, below] = await blocks("operations.md", "HAProxy", "haproxy");
      const tls = " ssl crt /etc/haproxy/events.example.org.pem alpn h2,http/1.1";
      let text = swap(whole, SERVER, server);
      text = swap(text, ":443", `127.0.0.1:${port}`);
      text = swap(text, tls, isPlain ? "" : tls.replace(/crt \S+/, `crt ${directory}/events.pem`));
      if (isBelow) {
        text = swap(text, "    default_backend tidings\n", below);
      }
      const file = path.join(directory, "haproxy.cfg");
      await writeFile(file, text);
      return ["haproxy", "-db", "-f", file];
    },
  },
  caddy: {
    hasTls: true,
    /** @param {Setup} setup */
    async command({ server, port, isBelow, directory }) {
      const block = (await blocks("operations.md", "Caddy", "caddyfile"))[isBelow ? 1 : 0];
      const site = isBelow ? "example.org {\n" : `${HOST} {\n`;
      const address = `https://${HOST}:${port} {\n  bind 127.0.0.1\n  tls ${directory}/events.pem ${directory}/events.pem\n`;
      const file = path.join(directory, "Caddyfile");
      const globals = "{\n  admin off\n  auto_https disable_redirects\n}\n";
      await writeFile(file, globals + swap(swap(block, SERVER, server), site, address));
      return ["caddy", "run", "--adapter", "caddyfile", "--config", file];
    },
  },
  node: {
    hasTls: false,
    /** @param {Setup} setup */
    async command({ server, port, isBelow, directory }) {
      const [whole, below] = await blocks("operations.md", "Node", "js");
      let text = swap(whole, SERVER, server);
      text = swap(text, "listen(8080)", `listen(${port}, "127.0.0.1")`);
      if (isBelow) {
        text = swap(text, "    on: {\n", `${below}    on: {\n`);
      }
      // The directory of its packages.
      const file = fileURLToPath(new URL(`../proxies/.proxy-${process.pid}-${port}.js`, import.meta.url));
      await writeFile(file, text);
      await writeFile(path.join(directory, "written"), file);
      return ["node", file];
    },
  },
  vite: {
    hasTls: false,
    isBelowOnly: true,
    /** @param {Setup} setup */
    async command({ server, port, directory }) {
      const [, , block] = await blocks("operations.md", "Node", "js");
      // Playwright is installed in the page's project.
      const modules = fileURLToPath(new URL("../../ui/node_modules", import.meta.url));
      await symlink(modules, path.join(directory, "node_modules"));
      const file = path.join(directory, "vite.config.mjs");
      await writeFile(file, swap(block, SERVER, server));
      const vite = path.join(modules, "vite/bin/vite.js");
      const where = ["--host", "127.0.0.1", "--port", String(port), "--strictPort"];
      return ["node", vite, directory, "--config", file, ...where];
    },
  },
};

/** The proxies that serve at the root of a host, and those below a path. */
export const pathsOf = (name) => (KINDS[name].isBelowOnly ? [true] : [false, true]);

export const NAMES = /** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS));

/** Creates `events.pem` with a certificate and its key. The test browsers ignore its names. */
async function makeCertificate(directory) {
  const file = (name) => path.join(directory, name);
  const flags = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`, "-days", "2"];
  await run("openssl", ["req", ...flags, ...subject, "-keyout", file("key"), "-out", file("cert")]);
  const both = (await readFile(file("cert"), "utf8")) + (await readFile(file("key"), "utf8"));
  await writeFile(file("events.pem"), both, { mode: 0o600 });
}

/** A reverse proxy in front of a server, configured as documented. */
export class Proxy {
  #name;
  #setup;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;

  /**
   * @param {keyof typeof KINDS} name
   * @param {Omit<Setup, "server">} setup
   */
  constructor(name, setup) {
    this.#name = name;
    this.#setup = setup;
  }

  /** The server's public address, without a trailing slash. */
  get url() {
    const { host, port, isBelow, isPlain } = this.#setup;
    return `${isPlain ? "http" : "https"}://${host}:${port}${isBelow ? "/tidings" : ""}`;
  }

  /**
   * Reserves a proxy's address, so that the server can be configured before the proxy starts.
   *
   * @param {keyof typeof KINDS} name
   * @param {{ isBelow?: boolean, host?: string, block?: string, isPlain?: boolean }} [options]
   */
  static async place(name, { isBelow = false, host, block, isPlain = !KINDS[name].hasTls } = {}) {
    const directory = await mkdtemp(path.join(os.tmpdir(), "tidings-proxy-"));
    const setup = {
      port: await freePort(),
      isBelow,
      host: host ?? (isPlain ? "127.0.0.1" : HOST),
      block,
      isPlain,
      directory,
    };
    return new Proxy(name, setup);
  }

  /**
   * Starts the proxy in front of a server and waits until it listens.
   *
   * @param {string} server host and port
   */
  async start(server) {
    const { directory, port } = this.#setup;
    await makeCertificate(directory);
    const [program, ...flags] = await KINDS[this.#name].command({ ...this.#setup, server });
    this.#process = spawn(program, flags, {
      env: { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    this.#process.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    const ended = once(this.#process, "exit").then(([code]) => {
      throw new Error(`${this.#name} ended with ${code}: ${said}`);
    });
    ended.catch(() => {});
    await soon(`${this.#name} to listen`, Promise.race([accepts(port), ended]));
  }

  /** Stops the proxy and removes its files. */
  async dispose() {
    if (runs(this.#process)) {
      await end(this.#name, this.#process, "SIGKILL");
    }
    const written = await readFile(path.join(this.#setup.directory, "written"), "utf8").catch(() => "");
    if (written) {
      await rm(written);
    }
    await rm(this.#setup.directory, { recursive: true, force: true });
  }
}
