import { css, html } from "lit";

import { SEVERITIES } from "../api/filter.js";
import type { Severity } from "../api/schema.js";
import type { Settings } from "../inbox/settings.js";
import { strings } from "../strings/en.js";

/** The dialog of keyboard shortcuts. */
export function helpDialog() {
  return html`<dialog id="help" aria-labelledby="help-title">
    <h2 id="help-title">${strings.help.title}</h2>
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

/** The settings dialog. `change` is called immediately for every choice. */
export function settingsDialog(
  settings: Settings,
  isDenied: boolean,
  change: (settings: Settings) => void,
) {
  const severities = (name: "toasts" | "desktop", title: string) => html`<fieldset>
    <legend>${title}</legend>
    ${SEVERITIES.map(
      (severity) => html`<label
        ><input
          type="checkbox"
          .checked=${settings[name].includes(severity)}
          @change=${() => change({ ...settings, [name]: toggled(settings[name], severity) })}
        />${strings.severity[severity]}</label
      >`,
    )}
    ${name === "desktop" && isDenied ? html`<p role="alert">${strings.settings.denied}</p>` : ""}
  </fieldset>`;
  return html`<dialog id="settings" aria-labelledby="settings-title">
    <h2 id="settings-title">${strings.settings.title}</h2>
    <label
      ><input
        type="checkbox"
        .checked=${settings.readOnOpen}
        @change=${() => change({ ...settings, readOnOpen: !settings.readOnOpen })}
      />${strings.settings.readOnOpen}</label
    >
    <label
      ><input
        type="checkbox"
        .checked=${settings.keys}
        @change=${() => change({ ...settings, keys: !settings.keys })}
      />${strings.settings.keys}</label
    >
    ${severities("toasts", strings.settings.toasts)}
    ${severities("desktop", strings.settings.desktop)}
    <form method="dialog">
      <button class="action primary">${strings.settings.close}</button>
    </form>
  </dialog>`;
}

function toggled(severities: readonly Severity[], severity: Severity): Severity[] {
  const on = new Set(severities);
  if (!on.delete(severity)) {
    on.add(severity);
  }
  return SEVERITIES.filter((each) => on.has(each));
}

export const dialogStyles = css`
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
`;
