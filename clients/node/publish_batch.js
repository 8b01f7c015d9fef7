/** Publishes several events: all of them or none. */

import { randomUUID } from "node:crypto";

import { publish } from "./publish.js";

const events = ["cart", "search", "checkout"].map((service) => ({
  id: randomUUID(),
  actedUpon: "7b1d2c3e-0000-4000-8000-000000000002",
  category: "deployment",
  action: "apply",
  severity: "success",
  description: `Deployed ${service}`,
}));
for (const stored of await publish(events)) {
  console.log("stored", stored.id);
}
