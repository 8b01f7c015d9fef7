import { html } from "lit";

import { strings } from "../strings/strings.js";

/** A command with a copy button. */
export function command(title: string, text: string) {
  const copy = (click: Event): void => {
    const button = click.currentTarget as HTMLButtonElement;
    void navigator.clipboard.writeText(text).then(
      () => {
        button.textContent = strings.detail.copied;
      },
      () => {
        button.textContent = strings.detail.copyFailed;
      },
    );
  };
  return html`<section class="command">
    <h3>${title}</h3>
    <pre tabindex="0"><code>${text}</code></pre>
    <button class="action" @click=${copy}>${strings.detail.copyShort}</button>
  </section>`;
}
