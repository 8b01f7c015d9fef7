/** Runs the programs that docs/clients.md quotes, in each language, against a real server. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { blocks } from "../src/docs.js";
import { compile } from "../src/java.js";
import { Login } from "../src/login.js";
import { Program } from "../src/program.js";
import { Server } from "../src/server.js";
import { soon } from "../src/soon.js";

const run = promisify(execFile);

const here = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** A generator starts a JVM, and a compiler builds the client. */
const PATIENCE_MS = 300_000;

const OWNER = "7b1d2c3e-0000-4000-8000-00000000000a";

/** Runs a program and shows its output if it fails. */
async function must(program, args, options = {}) {
  try {
    return (await run(program, args, { maxBuffer: 64 * 1024 * 1024, ...options })).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}:\n${error.stdout}\n${error.stderr}`);
  }
}

/**
 * Takes the place of a server and ends every connection; `asked` is when a program has tried to publish.
 *
 * @param {URL} address
 */
async function refuse({ hostname, port }) {
  let tell;
  const asked = new Promise((resolve) => {
    tell = resolve;
  });
  const sockets = new Set();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      socket.destroy();
      if (bytes.toString("latin1").startsWith("POST")) {
        tell();
      }
    });
  });
  listener.listen(Number(port), hostname);
  await once(listener, "listening");
  const close = () =>
    new Promise((resolve) => {
      listener.close(resolve);
      sockets.forEach((socket) => socket.destroy());
    });
  return { asked: soon("a program to publish", asked), close };
}

describe("the programs of docs/clients.md", { timeout: PATIENCE_MS }, () => {
  let directory;
  /** @type {Record<string, Record<"publish" | "batch" | "follow" | "token", string[]>>} */
  const commands = {};

  before(async () => {
    directory = await mkdtemp(path.join(here("conformance-js"), ".generated-"));

    const go = path.join(directory, "go/");
    const env = { ...process.env, GOPROXY: "off", GOTOOLCHAIN: "local" };
    await must("go", ["build", "-o", go, "./examples/..."], { cwd: here("clients/go"), env });
    commands.Go = Object.fromEntries(["publish", "batch", "follow", "token"].map((name) => [name, [go + name]]));

    const python = (name) => [
      "env",
      `PYTHONPATH=${here("clients/python/src")}`,
      "PYTHONDONTWRITEBYTECODE=1",
      here("conformance-py/.venv/tidings/bin/python"),
      here(`clients/python/examples/${name}.py`),
    ];
    commands.Python = {
      publish: python("publish"),
      batch: python("batch"),
      follow: python("follow"),
      token: python("publish_with_token"),
    };

    const node = (name) => ["node", here(`clients/node/${name}.js`)];
    commands.Node = {
      publish: node("publish_event"),
      batch: node("publish_batch"),
      follow: node("follow"),
      token: node("publish_event"),
    };

    const [generate] = await blocks("clients.md", "Java", "sh,unrun");
    const classPath = await compile(directory, generate, must);
    const java = (name) => ["java", "-cp", classPath, name];
    commands.Java = {
      publish: java("Publish"),
      batch: java("PublishBatch"),
      follow: java("Follow"),
      token: java("Publish"),
    };
  });

  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  for (const language of ["Go", "Python", "Node", "Java"]) {
    test(`in ${language} publish, follow and resume, also after the server was away`, async () => {
      const server = await Server.begin();
      const work = await mkdtemp(path.join(directory, "work-"));
      const options = { cwd: work, env: { ...process.env, TIDINGS_URL: server.origin } };
      const start = (name) => new Program(`${language} ${name}`, commands[language][name], options);
      let follow = start("follow");
      try {
        await follow.until("live");
        const publish = start("publish");
        assert.match(await publish.ends(0), /^stored [-0-9a-f]{36}$/m);
        await follow.until("Registered the cluster kind");
        await follow.dispose();

        // Missed by the program, and replayed to the next one.
        assert.equal((await start("batch").ends(0)).match(/^stored /gm).length, 3);
        follow = start("follow");
        await follow.until("live");
        // A kill between the effect of a frame and its cursor repeats the frame.
        assert.deepEqual(follow.lines.filter((line) => !line.includes("Registered")), [
          "success Deployed cart",
          "success Deployed search",
          "success Deployed checkout",
          "live",
        ]);

        await server.kill();
        const refusing = await refuse(new URL(server.origin));
        const waiting = start("publish");
        await refusing.asked;
        await refusing.close();
        await server.start();
        await waiting.ends(0);
        await follow.until("Registered the cluster kind");
      } finally {
        await follow.dispose();
        await server.dispose();
      }
    });

    test(`in ${language} read a token from a file`, async () => {
      const login = await Login.begin();
      const server = await Server.begin(login.flags);
      const file = path.join(directory, "token");
      const env = { ...process.env, TIDINGS_URL: server.origin, TIDINGS_TOKEN_FILE: file };
      const start = () => new Program(`${language} token`, commands[language].token, { cwd: directory, env });
      try {
        await writeFile(file, `${await login.token(OWNER, "events:publish")}\n`);
        assert.match(await start().ends(0), /^stored /m);
        await writeFile(file, `${await login.token(OWNER, "events:read")}\n`);
        assert.match(await start().ends(1), /events:publish|insufficient_scope|does not allow/);
      } finally {
        await server.dispose();
        await login.dispose();
      }
    });
  }
});
