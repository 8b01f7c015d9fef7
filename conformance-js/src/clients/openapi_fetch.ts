/**
 * Uses the types that openapi-typescript generates, through openapi-fetch: publish with a cause, list
 * sorted, mark, delete. Compiled with `tsc --strict` beside the generated `schema.ts`.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type NewEvent = components["schemas"]["ImportableEvent"];

const EVENTS = "/api/system/events";

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

function event(description: string, severity: NewEvent["severity"]): NewEvent & { id: string } {
  return {
    id: randomUUID(),
    actedUpon: "7b1d2c3e-0000-4000-8000-000000000001",
    category: "connection",
    action: "ping",
    severity,
    description,
  };
}

const failed = event("Could not ping", "error");
failed.metadata = {
  error: { ShortDescription: ["refused"], SuggestedRemediation: ["Start the cluster"] },
};
const stored = await client.POST(EVENTS, { body: failed });
assert.equal(stored.response.status, 201);
assert(stored.data !== undefined && "metadata" in stored.data);
const cause = stored.data.metadata?.["error"] as { SuggestedRemediation: string[] };
assert.deepEqual(cause.SuggestedRemediation, ["Start the cluster"]);
const others = [event("one", "success"), event("two", "success")];
const batch = await client.POST(EVENTS, { body: others });
assert.equal(batch.response.status, 201);

const page = await client.GET(EVENTS, {
  params: { query: { sort: "created_at", order: "desc", pagesize: 10 } },
});
assert.deepEqual(
  page.data?.events.map(({ description }) => description),
  ["two", "one", "Could not ping"],
);
const errors = await client.GET(EVENTS, {
  params: { query: { severity: ["error", "warning"], count: "none" } },
});
assert.deepEqual(
  errors.data?.events.map(({ id }) => id),
  [failed.id],
);

const path = { id: failed.id };
const marked = await client.PUT(`${EVENTS}/status/{id}`, {
  params: { path },
  body: { status: "read" },
});
assert.equal(marked.response.status, 200);
const read = await client.GET(`${EVENTS}/{id}`, { params: { path } });
assert.equal(read.data?.status, "read");
const ids = others.map(({ id }) => id);
await client.PUT(`${EVENTS}/status/bulk`, { body: { ids, status: "read" } });
const deleted = await client.DELETE(`${EVENTS}/bulk`, { body: { ids } });
assert(deleted.response.ok);
const one = await client.DELETE(`${EVENTS}/{id}`, { params: { path } });
assert.equal(one.response.status, 204);
const gone = await client.GET(`${EVENTS}/{id}`, { params: { path } });
assert.equal(gone.error?.code, "event_not_found");
console.log("ok");
