import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";

import { SEVERITIES } from "../api/filter.js";
import type { Severity } from "../api/schema.js";
import { type Settings, readSettings } from "../inbox/settings.js";
import { strings } from "../strings/strings.js";
import { translate } from "./language.js";
import { look } from "./look.js";

/** What a dialog shows. */
export type DialogKind = "help" | "settings";

/** The dialogs of an inbox, which load when the first one is opened. Fires `settings` with the chosen ones. */
@customElement("tidings-dialog")
export class TidingsDialog extends LitElement {
  @property({ attribute: false }) kind: DialogKind = "help";
  @property({ attribute: false }) settings = readSettings();
  /** Whether the browser blocks notifications. */
  @property({ attribute: false }) isDenied = false;

  static override styles = [
    look,
    css`
      dialog form {
        margin-top: 1rem;
        text-align: end;
      }
      dialog label {
        display: flex;
        gap: 0.5rem;
        align-items: center;
        min-height: 1.75rem;
      }
      dialog fieldset {
        border: 1px solid var(--t-line);
        border-radius: 6px;
        margin: 0.75rem 0 0;
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
      }
      dialog fieldset p {
        grid-column: 1 / -1;
        margin: 0.25rem 0;
        color: var(--t-error);
      }
      .keys {
        margin: 0;
        display: grid;
        gap: 0.25rem;
      }
      .keys > div {
        display: grid;
        grid-template-columns: 8rem 1fr;
      }
      .keys dt {
        font-family: var(--t-mono);
        font-size: 0.8125rem;
      }
      .keys dd {
        margin: 0;
      }
    `,
  ];

  constructor() {
    super();
    translate(this);
  }

  /** Opens the dialog. */
  show(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  protected override render() {
    return this.kind === "help" ? this.#help() : this.#settings();
  }

  /** The keyboard shortcuts. */
  #help() {
    return html`<dialog id="help" aria-labelledby="title">
      <h2 id="title">${strings.help.title}</h2>
      <dl class="keys">
        ${strings.help.keys.map(
          ([keys, meaning]) => html`<div><dt>${keys}</dt><dd>${meaning}</dd></div>`,
        )}
      </dl>
      <form method="dialog">
        <button class="action primary">${strings.help.close}</button>
      </form>
    </dialog>`;
  }

  /** The settings, which take effect with each choice. */
  #settings() {
    return html`<dialog id="settings" aria-labelledby="title">
      <h2 id="title">${strings.settings.title}</h2>
      ${this.#switch("readOnOpen")} ${this.#switch("keys")} ${this.#severities("toasts")}
      ${this.#severities("desktop")}
      <form method="dialog">
        <button class="action primary">${strings.settings.close}</button>
      </form>
    </dialog>`;
  }

  #switch(name: "readOnOpen" | "keys") {
    const isOn = this.settings[name];
    return html`<label
      ><input type="checkbox" .checked=${isOn} @change=${() => this.#set({ [name]: !isOn })} />${strings
        .settings[name]}</label
    >`;
  }

  #severities(name: "toasts" | "desktop") {
    const chosen = this.settings[name];
    return html`<fieldset>
      <legend>${strings.settings[name]}</legend>
      ${SEVERITIES.map(
        (severity) => html`<label
          ><input
            type="checkbox"
            .checked=${chosen.includes(severity)}
            @change=${() => this.#set({ [name]: toggled(chosen, severity) })}
          />${strings.severity[severity]}</label
        >`,
      )}
      ${name === "desktop" && this.isDenied ? html`<p role="alert">${strings.settings.denied}</p>` : ""}
    </fieldset>`;
  }

  #set(choice: Partial<Settings>): void {
    const detail = { ...this.settings, ...choice };
    this.dispatchEvent(new CustomEvent<Settings>("settings", { detail }));
  }
}

function toggled(severities: readonly Severity[], severity: Severity): Severity[] {
  const on = new Set(severities);
  if (!on.delete(severity)) {
    on.add(severity);
  }
  return SEVERITIES.filter((each) => on.has(each));
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-dialog": TidingsDialog;
  }
}
