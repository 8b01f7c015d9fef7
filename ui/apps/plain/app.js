import { german } from "/node_modules/@tidings/inbox/dist/strings/de.js";

const [bell, inbox] = ["tidings-bell", "tidings-inbox"].map((name) => document.querySelector(name));

/** The user's token comes from the backend of this app. */
const getToken = async () => (await fetch("/token")).text();

for (const element of [bell, inbox]) {
  Object.assign(element, { server: document.documentElement.dataset.server, getToken, strings: german, locale: "de" });
}
/** Resources have pages of their own here. */
bell.resolveLink = (key, value) =>
  key === "DeploymentName" ? `/deployments/${encodeURIComponent(value)}` : undefined;
bell.eventLink = ({ id }) => `/inbox?event=${id}`;
bell.addEventListener("tidings-open", ({ detail }) => {
  document.querySelector(".opened").textContent = detail?.description ?? "Schublade";
});
bell.hostActions = true;
bell.addEventListener("tidings-action", ({ detail: { action, event } }) => {
  document.querySelector(".opened").textContent = `${action.name}: ${event.description}`;
});
document.querySelector("button").addEventListener("click", () => {
  const isEnglish = !bell.strings;
  for (const element of [bell, inbox]) {
    Object.assign(element, isEnglish ? { strings: german, locale: "de" } : { strings: null, locale: null });
  }
});
