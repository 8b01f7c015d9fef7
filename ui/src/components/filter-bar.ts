import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { type EventFilter, SEVERITIES, isId } from "../api/filter.js";
import type { EventTypes, Severity } from "../api/schema.js";
import type { Counts } from "../stream/counts.js";
import { strings } from "../strings/strings.js";
import { closeIcon, filterIcon, searchIcon, severityIcon } from "./icons.js";
import { translate } from "./language.js";
import { look, severityColors } from "./look.js";
import { shortTime } from "./time.js";
import { words } from "./words.js";

/** The delay between the last keystroke and the search, in milliseconds. */
const TYPING = 250;

const HOUR = 3_600_000;

/** The selectable time ranges, in milliseconds before now. */
const SPANS = { lastHour: HOUR, lastDay: 24 * HOUR, lastWeek: 7 * 24 * HOUR } as const;

/** The search and filter controls. Fires `filter` with the new {@link EventFilter}, and `seek` with an id to look for. */
@customElement("tidings-filter-bar")
export class TidingsFilterBar extends LitElement {
  @property({ attribute: false }) filter: EventFilter = {};
  @property({ attribute: false }) counts: Counts | undefined;
  @property({ attribute: false }) loadTypes: () => Promise<EventTypes> = () =>
    Promise.resolve({ category: [], action: [] });

  @state() private isOpen = false;
  @state() private types: EventTypes = { category: [], action: [] };

  /** The id that was searched last. */
  #sought: string | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    look,
    severityColors,
    css`
      :host {
        display: block;
        container-type: inline-size;
        padding: 0 0.75rem 0.5rem;
      }
      .line {
        display: flex;
        gap: 0.5rem;
        align-items: center;
      }
      .search {
        flex: 1;
        min-width: 0;
        display: flex;
        align-items: center;
        gap: 0.375rem;
        border: 1px solid var(--t-edge);
        border-radius: 6px;
        padding-inline: 0.5rem;
        color: var(--t-muted);
        background: var(--t-surface);
      }
      .search:focus-within {
        outline: 2px solid var(--t-accent);
        outline-offset: 1px;
      }
      .search input {
        flex: 1;
        min-width: 0;
        border: 0;
        outline: 0;
        background: none;
        height: 2.125rem;
        color: var(--t-text);
      }
      .search input::placeholder {
        color: var(--t-muted);
      }
      .chips {
        display: flex;
        flex-wrap: wrap;
        gap: 0.375rem;
        margin: 0.5rem 0 0;
        padding: 0;
        border: 0;
      }
      .chip {
        display: inline-flex;
        align-items: center;
        gap: 0.3125rem;
        border: 1px solid var(--t-line);
        background: var(--t-surface);
        border-radius: 999px;
        padding: 0.125rem 0.625rem;
        min-height: 1.75rem;
        font-size: 0.8125rem;
      }
      .chip:hover {
        background: var(--t-hover);
      }
      .chip svg {
        width: 1em;
        height: 1em;
        color: var(--t-severity, currentColor);
      }
      .chip[aria-pressed="true"] {
        border-color: var(--t-accent);
        background: color-mix(in srgb, var(--t-accent) 14%, var(--t-surface));
        font-weight: 600;
      }
      @media (forced-colors: active) {
        .chip[aria-pressed="true"] {
          forced-color-adjust: none;
          background: Highlight;
          color: HighlightText;
          --t-severity: HighlightText;
        }
      }
      .chip b {
        font-variant-numeric: tabular-nums;
        font-weight: 650;
      }
      @container (max-width: 30rem) {
        .severities {
          flex-wrap: nowrap;
          overflow-x: auto;
          scrollbar-width: none;
          white-space: nowrap;
        }
        .severities .chip {
          flex: none;
        }
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
        gap: 0.5rem 0.75rem;
        margin-top: 0.625rem;
        padding: 0.75rem;
        background: var(--t-raised);
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
      }
      .fields label {
        display: grid;
        gap: 0.1875rem;
        font-size: 0.8125rem;
        color: var(--t-muted);
      }
      select {
        color: var(--t-text);
        background: var(--t-surface);
        border: 1px solid var(--t-edge);
        border-radius: 6px;
        min-height: 2rem;
        padding-inline: 0.375rem;
        min-width: 0;
      }
    `,
  ];

  private get searchField(): HTMLInputElement {
    return this.renderRoot.querySelector("input") as HTMLInputElement;
  }

  constructor() {
    super();
    translate(this);
  }

  /** Focuses the search field. */
  focusSearch(): void {
    this.searchField.focus();
    this.searchField.select();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("filter") && this.renderRoot.querySelector(":focus") !== this.searchField) {
      this.searchField.value = this.filter.search ?? "";
    }
  }

  protected override render() {
    return html`
      <div class="line">
        <label class="search">
          ${searchIcon()}
          <span class="hidden-text">${strings.filter.search}</span>
          <input
            type="search"
            placeholder=${strings.filter.search}
            autocomplete="off"
            maxlength="80"
            @input=${() => this.#typed()}
            @keydown=${(key: KeyboardEvent) => this.#searchKey(key)}
          />
        </label>
        <button
          class="action"
          aria-expanded=${this.isOpen ? "true" : "false"}
          aria-controls="fields"
          title=${strings.filter.more}
          @click=${() => this.#toggle()}
        >
          ${filterIcon()}<span class="hidden-text">${strings.filter.more}</span>
        </button>
      </div>
      <fieldset class="chips severities">
        <legend class="hidden-text">${strings.filter.severities}</legend>
        ${SEVERITIES.map((severity) => this.#severity(severity))}
      </fieldset>
      <div id="fields">${this.isOpen ? this.#fields() : nothing}</div>
      ${this.#active()}
    `;
  }

  /** Severities without events that are not selected either are hidden. */
  #severity(severity: Severity) {
    const isOn = this.filter.severity?.includes(severity) ?? false;
    const unread = this.counts?.unread[severity] ?? 0;
    const all = unread + (this.counts?.read[severity] ?? 0);
    if (all === 0 && !isOn) {
      return nothing;
    }
    return html`<button
      class="chip ${severity}"
      aria-pressed=${isOn ? "true" : "false"}
      @click=${() => this.#toggleSeverity(severity)}
    >
      ${severityIcon(severity)} ${strings.severity[severity]}
      ${unread > 0 ? html`<b>${strings.number(unread)}</b>` : nothing}
    </button>`;
  }

  #fields() {
    const { filter } = this;
    const choose = (name: keyof EventFilter) => (change: Event) => {
      const { value } = change.target as HTMLSelectElement;
      const isList = name === "category" || name === "action";
      this.#set({ [name]: value === "" ? undefined : isList ? [value] : value });
    };
    const field = (label: string, name: keyof EventFilter, any: string, values: readonly (readonly [string, string])[]) => {
      const set = filter[name];
      const chosen = (Array.isArray(set) ? (set as string[])[0] : (set as string | undefined)) ?? "";
      return html`<label
        >${label}
        <select .value=${chosen} @change=${choose(name)}>
          <option value="" ?selected=${chosen === ""}>${any}</option>
          ${values.map(
            ([value, text]) =>
              html`<option value=${value} ?selected=${chosen === value}>${text}</option>`,
          )}
        </select></label
      >`;
    };
    const named = (names: readonly string[]) => names.map((name) => [name, words(name)] as const);
    return html`<div class="fields">
      ${field(strings.filter.status, "status", strings.filter.anyStatus, [
        ["unread", strings.filter.unread],
        ["read", strings.filter.read],
      ])}
      ${field(strings.filter.category, "category", strings.filter.any, named(this.types.category))}
      ${field(strings.filter.action, "action", strings.filter.any, named(this.types.action))}
      ${field(strings.filter.source, "ownerKind", strings.filter.anySource, [
        ["user", strings.filter.user],
        ["system", strings.filter.system],
      ])}
      <label
        >${strings.filter.time}
        <select
          @change=${(change: Event) => {
            const span = Number((change.target as HTMLSelectElement).value);
            const from = span ? new Date(Date.now() - span).toISOString() : undefined;
            this.#set({ from, to: undefined });
          }}
        >
          <option value="0" ?selected=${!filter.from}>${strings.filter.anyTime}</option>
          ${Object.entries(SPANS).map(
            ([name, span]) =>
              html`<option value=${span}>${strings.filter[name as keyof typeof SPANS]}</option>`,
          )}
        </select></label
      >
    </div>`;
  }

  /** The active filters, each with a remove button. */
  #active() {
    const { filter } = this;
    const active: [string, Partial<Record<keyof EventFilter, undefined>>][] = [];
    const add = (name: string, ...fields: (keyof EventFilter)[]): void => {
      active.push([name, Object.fromEntries(fields.map((field) => [field, undefined]))]);
    };
    if (filter.status) {
      add(filter.status === "read" ? strings.filter.read : strings.filter.unread, "status");
    }
    if (filter.category?.length) {
      add(`${strings.filter.category}: ${filter.category.map(words).join(", ")}`, "category");
    }
    if (filter.action?.length) {
      add(`${strings.filter.action}: ${filter.action.map(words).join(", ")}`, "action");
    }
    if (filter.ownerKind) {
      const kind = filter.ownerKind === "user" ? strings.filter.user : strings.filter.system;
      add(`${strings.filter.source}: ${kind}`, "ownerKind");
    }
    if (filter.from) {
      add(strings.filter.since(shortTime(filter.from)), "from");
    }
    if (filter.to) {
      add(strings.filter.until(shortTime(filter.to)), "to");
    }
    if (filter.operationId) {
      add(strings.filter.operation, "operationId");
    }
    if (active.length === 0) {
      return nothing;
    }
    return html`<div class="chips" role="group" aria-label=${strings.filter.active}>
      ${active.map(
        ([name, without]) =>
          html`<button
            class="chip"
            aria-label=${strings.filter.remove(name)}
            @click=${() => this.#set(without)}
          >
            ${name} ${closeIcon()}
          </button>`,
      )}
    </div>`;
  }

  #toggle(): void {
    this.isOpen = !this.isOpen;
    if (this.isOpen) {
      this.loadTypes().then(
        (types) => {
          this.types = types;
        },
        () => undefined,
      );
    }
  }

  #toggleSeverity(severity: Severity): void {
    const on = new Set(this.filter.severity);
    if (!on.delete(severity)) {
      on.add(severity);
    }
    this.#set({ severity: SEVERITIES.filter((each) => on.has(each)) });
  }

  #typed(): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#search(), TYPING);
  }

  #search(): void {
    clearTimeout(this.#typing);
    const search = this.searchField.value.trim() || undefined;
    if (search && search !== this.#sought && isId(search)) {
      this.#sought = search;
      this.dispatchEvent(new CustomEvent<string>("seek", { detail: search }));
    } else if (search !== this.filter.search) {
      this.#set({ search });
    }
  }

  #searchKey(key: KeyboardEvent): void {
    if (key.key === "Enter") {
      this.#search();
    } else if (key.key === "Escape") {
      key.stopPropagation();
      if (this.searchField.value !== "") {
        // Otherwise the key belongs to the surrounding drawer.
        key.preventDefault();
      }
      this.searchField.value = "";
      this.#search();
      this.dispatchEvent(new CustomEvent("leave"));
    }
  }

  #set(change: { [name in keyof EventFilter]?: EventFilter[name] | undefined }): void {
    const entries = Object.entries({ ...this.filter, ...change });
    const set = entries.filter(([, value]) => value !== undefined && value.length > 0);
    const filter = Object.fromEntries(set) as EventFilter;
    this.dispatchEvent(new CustomEvent<EventFilter>("filter", { detail: filter }));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-filter-bar": TidingsFilterBar;
  }
}
