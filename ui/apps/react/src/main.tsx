import { StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";

import { App } from "./app.js";

const root = document.querySelector("#root");
if (!root) {
  throw new Error("the page has no #root");
}
const server = document.documentElement.dataset["server"] ?? "";
const app = (
  <StrictMode>
    <App server={server} />
  </StrictMode>
);
// A page that a server has rendered has an element in it already.
if (root.firstElementChild) {
  hydrateRoot(root, app, { onRecoverableError: (error) => console.error("hydration", error) });
} else {
  createRoot(root).render(app);
}
