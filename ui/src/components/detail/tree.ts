import { html, nothing } from "lit";

import { strings } from "../../strings/strings.js";
import { webAddress } from "../address.js";
import { nameOf } from "../words.js";
import { REPORTS } from "./reports.js";
import { likeObjects, tableView } from "./table.js";

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
  summary: "Summary",
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

/** Returns where a value leads to in the host page. */
export type Resolve = (key: string, value: string) => string | undefined;

/** Renders metadata of any shape as a tree; every value stays text. */
export function tree(metadata: unknown, shown: ReadonlySet<string>, resolve: Resolve = () => undefined): unknown {
  return new Tree(resolve).level(entriesOf(metadata, shown), 0);
}

class Tree {
  readonly #resolve: Resolve;

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  level(entries: readonly (readonly [string, unknown])[], depth: number): unknown {
    const shown = entries.slice(0, MAX_ENTRIES);
    const left = entries.length - shown.length;
    return html`<dl>
        ${shown.map(([key, value]) => html`<div>
          <dt dir="auto">${depth === 0 ? labelOf(key) : key}</dt>
          <dd dir="auto" lang="">${this.#top(key, value, depth)}</dd>
        </div>`)}
      </dl>
      ${left > 0 ? html`<p class="muted">${strings.detail.truncated(left)}</p>` : nothing}`;
  }

  /** A known report, or else any value. */
  #top(key: string, value: unknown, depth: number): unknown {
    const report = depth === 0 && Object.hasOwn(REPORTS, key) ? REPORTS[key]?.(value) : undefined;
    return report ?? this.#node(key, value, depth);
  }

  #node(key: string, value: unknown, depth: number): unknown {
    if (value === null || value === undefined || value === "") {
      return html`<span class="muted">${strings.detail.nothing}</span>`;
    }
    if (typeof value === "string") {
      return FILES.has(key) ? file(key, value) : this.#text(key, value);
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
    return Array.isArray(value) ? this.#list(key, value, depth) : this.#fold(entries, depth);
  }

  #list(key: string, list: readonly unknown[], depth: number): unknown {
    const table = likeObjects(list, (name, value) => this.#node(name, value, MAX_DEPTH));
    if (table) {
      return tableView(table);
    }
    if (list.some((each) => typeof each === "object" && each !== null)) {
      return this.#fold(entriesOf(list), depth);
    }
    const shown = list.slice(0, MAX_ENTRIES);
    const left = list.length - shown.length;
    return html`<ul>
      ${shown.map((each) => html`<li dir="auto">${this.#node(key, each, depth + 1)}</li>`)}
      ${left > 0 ? html`<li class="muted">${strings.detail.truncated(left)}</li>` : nothing}
    </ul>`;
  }

  #fold(entries: readonly (readonly [string, unknown])[], depth: number): unknown {
    return html`<details ?open=${depth < OPEN_DEPTH}>
      <summary class="muted">${strings.detail.entries(entries.length)}</summary>
      ${this.level(entries, depth + 1)}
    </details>`;
  }

  #text(key: string, value: string): unknown {
    const own = this.#resolve(key, value);
    if (own !== undefined) {
      // The host's own link: its router may take the click.
      return html`<a href=${own}>${value}</a>`;
    }
    const address = webAddress(value);
    if (address) {
      return html`<a href=${address} rel="noopener noreferrer" target="_blank">${value}</a>`;
    }
    return value.includes("\n") ? block(value) : value;
  }
}

/** Lines of stack traces of common languages. */
const FRAME = /^\s+at |^\s*File ".*", line \d+|^goroutine \d+ |^\s+\S+\.go:\d+|^\s*\d+: +\S+::|^Caused by: /gm;

/** A text of several lines, with a button that copies it. The lines of a stack trace are not wrapped. */
function block(value: string): unknown {
  const isTrace = (value.match(FRAME)?.length ?? 0) >= 2;
  const copy = ({ currentTarget }: Event): void => {
    const button = currentTarget as HTMLElement;
    const say = (text: string) => (): void => void (button.textContent = text);
    // Without a secure context, there is no clipboard.
    const copied = (navigator.clipboard as Clipboard | undefined)?.writeText(value) ?? Promise.reject(new Error());
    copied.then(say(strings.detail.copied), say(strings.detail.copyFailed));
  };
  return html`<div class="copied">
    <pre class=${isTrace ? "trace" : ""} tabindex="0">${value}</pre>
    <button class="action" @click=${copy}>${strings.detail.copyShort}</button>
  </div>`;
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
    .sort(([one], [other]) => rank(one) - rank(other));
}

function labelOf(key: string): string {
  return nameOf(key) ?? (Object.hasOwn(NAMES, key) ? NAMES[key] : undefined) ?? key;
}
