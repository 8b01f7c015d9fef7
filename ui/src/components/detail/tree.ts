import { html, nothing } from "lit";

import { strings } from "../../strings/en.js";
import { webAddress } from "../address.js";

/** The number of entries shown per level; further entries are counted. */
const MAX_ENTRIES = 200;

/** The number of levels rendered as a tree; deeper values are shown as JSON. */
const MAX_DEPTH = 12;

/** The number of levels that are initially expanded. */
const OPEN_DEPTH = 2;

/** Keys that are shown elsewhere or mean nothing to a reader (internal keys of existing clients). */
const ELSEWHERE: ReadonlySet<string> = new Set(["id", "kind", "history_title"]);

/** Keys shown first. */
const FIRST = ["Summary", "summary", "LongDescription", "SuggestedRemediation"];

/** Labels of known keys whose names are not self-explanatory. */
const NAMES: Readonly<Record<string, string>> = {
  k8sContextName: "Kubernetes context",
  k8sContextID: "Kubernetes context id",
  connectionName: "Connection",
  connectionID: "Connection id",
  meshsyncDeploymentMode: "MeshSync deployment mode",
  operatorStatus: "Operator status",
  brokerEndpoint: "Broker endpoint",
  DownloadLink: "Download",
  ViewLink: "View",
  dryRunResponse: "Dry run",
  ModelImportMessage: "Model import",
  ModelDetails: "Model details",
};

/** Longer texts are treated as files: collapsed, with a download button. */
const FILES = new Set(["trace"]);

/** Whether the metadata has entries that are not shown elsewhere. */
export function hasTree(metadata: unknown, shown: ReadonlySet<string>): boolean {
  return entriesOf(metadata, shown).length > 0;
}

/** Renders metadata of any shape as a tree; every value stays text. */
export function tree(metadata: unknown, shown: ReadonlySet<string>): unknown {
  return level(entriesOf(metadata, shown), 0);
}

function level(entries: readonly (readonly [string, unknown])[], depth: number): unknown {
  const shown = entries.slice(0, MAX_ENTRIES);
  const left = entries.length - shown.length;
  return html`<dl>
      ${shown.map(([name, value]) => html`<div>
        <dt dir="auto">${name}</dt>
        <dd dir="auto" lang="">${node(name, value, depth)}</dd>
      </div>`)}
    </dl>
    ${left > 0 ? html`<p class="muted">${strings.detail.truncated(left)}</p>` : nothing}`;
}

function node(name: string, value: unknown, depth: number): unknown {
  if (value === null || value === undefined || value === "") {
    return html`<span class="muted">${strings.detail.nothing}</span>`;
  }
  if (typeof value === "string") {
    return FILES.has(name) ? file(name, value) : text(value);
  }
  if (typeof value !== "object") {
    return JSON.stringify(value);
  }
  const entries = entriesOf(value);
  if (entries.length === 0) {
    return html`<span class="muted">${strings.detail.nothing}</span>`;
  }
  if (depth >= MAX_DEPTH) {
    return html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
  }
  const isPlainList =
    Array.isArray(value) && value.every((each) => typeof each !== "object" || each === null);
  if (isPlainList) {
    const shown = entries.slice(0, MAX_ENTRIES);
    const left = entries.length - shown.length;
    return html`<ul>
      ${shown.map(([key, each]) => html`<li dir="auto">${node(key, each, depth + 1)}</li>`)}
      ${left > 0 ? html`<li class="muted">${strings.detail.truncated(left)}</li>` : nothing}
    </ul>`;
  }
  return html`<details ?open=${depth < OPEN_DEPTH}>
    <summary>${Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}</summary>
    ${level(entries, depth + 1)}
  </details>`;
}

function text(value: string): unknown {
  const address = webAddress(value);
  if (address) {
    return html`<a href=${address} rel="noopener noreferrer" target="_blank">${value}</a>`;
  }
  return value.includes("\n") ? html`<pre>${value}</pre>` : value;
}

function file(name: string, value: string): unknown {
  const save = (): void => {
    const address = URL.createObjectURL(new Blob([value], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${name}.txt`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  return html`<details><summary>${name}</summary><pre>${value}</pre></details>
    <button class="action" @click=${save}>${strings.detail.download(name)}</button>`;
}

/** `shown` lists the top-level keys that are shown elsewhere. */
function entriesOf(
  value: unknown,
  shown?: ReadonlySet<string>,
): (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null) {
    return [];
  }
  if (Array.isArray(value)) {
    return value.map((each, index) => [String(index + 1), each as unknown] as const);
  }
  const entries = Object.entries(value);
  if (!shown) {
    return entries;
  }
  const rank = (name: string): number => {
    const found = FIRST.indexOf(name);
    return found < 0 ? FIRST.length : found;
  };
  return entries
    .filter(([name]) => !ELSEWHERE.has(name) && !shown.has(name))
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([name, each]) => [Object.hasOwn(NAMES, name) ? (NAMES[name] ?? name) : name, each] as const);
}
