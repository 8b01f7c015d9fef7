/** Tests clients generated from docs/openapi.json, and runs a fuzzer against it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Login } from "../src/login.js";
import { Server } from "../src/server.js";

const run = promisify(execFile);

const here = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const DOCUMENT = here("../docs/openapi.json");
const PYTHON = here("../conformance-py");

/** A generator starts a JVM, and the fuzzer sends thousands of requests. */
const PATIENCE_MS = 300_000;

const OWNER = "7b1d2c3e-0000-4000-8000-00000000000a";

const bin = (environment, program) => path.join(PYTHON, ".venv", environment, "bin", program);
const tool = (name) => here(`node_modules/.bin/${name}`);

/** Runs a program and shows its output if it fails. */
async function must(program, args, options = {}) {
  try {
    return (await run(program, args, { maxBuffer: 64 * 1024 * 1024, ...options })).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}:\n${error.stdout}\n${error.stderr}`);
  }
}

describe("a generated client publishes, lists, marks and deletes", { timeout: PATIENCE_MS }, () => {
  let directory;
  let server;

  before(async () => {
    // Inside the package, so that generated code finds its imports.
    directory = await mkdtemp(here(".generated-"));
  });

  after(async () => {
    await server?.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  /** Each client gets an empty store, because it lists all events. */
  async function emptyServer() {
    await server?.dispose();
    server = await Server.begin();
    return server.origin;
  }

  test("in TypeScript by openapi-typescript and openapi-fetch, with tsc --strict", async () => {
    await must(tool("openapi-typescript"), [DOCUMENT, "--output", path.join(directory, "schema.ts")]);
    const client = path.join(directory, "client.ts");
    await cp(here("src/clients/openapi_fetch.ts"), client);
    await must(tool("tsc"), [
      ...["--strict", "--noUncheckedIndexedAccess", "--noEmitOnError", "--skipLibCheck"],
      ...["--target", "es2022", "--module", "nodenext", "--types", "node", client],
    ]);
    const said = await must("node", [path.join(directory, "client.js"), await emptyServer()]);
    assert.equal(said, "ok\n");
  });

  test("in Python by openapi-python-client", async () => {
    const generated = path.join(directory, "openapi-python-client");
    await mkdir(generated);
    const environment = "openapi-python-client";
    const out = path.join(generated, "tidings_api");
    const said = await must(
      bin(environment, "openapi-python-client"),
      ["generate", "--path", DOCUMENT, "--meta", "none", "--fail-on-warning", "--output-path", out],
      { env: { ...process.env, PATH: `${path.dirname(bin(environment, "x"))}:${process.env.PATH}` } },
    );
    assert.doesNotMatch(said, /skipping|unable|pieces may be missing/i);
    const example = path.join(PYTHON, "openapi_python_client_example.py");
    const env = { ...process.env, PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: "1" };
    assert.equal(await must(bin(environment, "python"), [example, await emptyServer()], { env }), "ok\n");
  });

  test("in Python by openapi-generator, which runs on Java", async () => {
    const generated = path.join(directory, "openapi-generator");
    const environment = "openapi-generator";
    const generator = bin(environment, "openapi-generator-cli");
    await must(generator, ["validate", "--input-spec", DOCUMENT]);
    await must(generator, [
      ...["generate", "--generator-name", "python", "--input-spec", DOCUMENT],
      ...["--additional-properties", "packageName=tidings_api", "--output", generated],
    ]);
    const example = path.join(PYTHON, "openapi_generator_example.py");
    const env = { ...process.env, PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: "1" };
    assert.equal(await must(bin(environment, "python"), [example, await emptyServer()], { env }), "ok\n");
  });
});

describe("schemathesis finds nothing", { timeout: PATIENCE_MS }, () => {
  const seed = process.env.SCHEMATHESIS_SEED ?? String(Math.floor(Math.random() * 2 ** 32));

  /** All checks; schemathesis.toml lists the responses that a schema cannot describe. */
  async function fuzz(origin, flags) {
    console.log(`SCHEMATHESIS_SEED=${seed}`);
    const config = path.join(PYTHON, "schemathesis.toml");
    await must(bin("schemathesis", "schemathesis"), [
      ...["--config-file", config, "run", `${origin}/openapi.json`, "--checks", "all"],
      ...["--max-examples", "10", "--seed", seed, "--no-color", ...flags],
    ]);
  }

  test("without a login", async () => {
    const server = await Server.begin();
    try {
      await fuzz(server.origin, []);
    } finally {
      await server.dispose();
    }
  });

  test("with tokens", async () => {
    const login = await Login.begin();
    const server = await Server.begin(login.flags);
    try {
      const scopes = ["events:read", "events:write", "events:publish", "events:admin"];
      const token = await login.token(OWNER, ...scopes);
      await fuzz(server.origin, ["--header", `Authorization: Bearer ${token}`]);
    } finally {
      await server.dispose();
      await login.dispose();
    }
  });
});
