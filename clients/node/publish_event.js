/** Publishes an event. */

import { randomUUID } from "node:crypto";

import { publish } from "./publish.js";

const event = {
  id: randomUUID(),
  actedUpon: "7b1d2c3e-0000-4000-8000-000000000001",
  category: "connection",
  action: "register",
  severity: "success",
  description: "Registered the cluster kind",
};
const stored = await publish(event);
console.log("stored", stored.id);
