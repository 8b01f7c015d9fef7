import { html, nothing } from "lit";

import { strings } from "../../strings/strings.js";
import type { Cause } from "../cause.js";
import { markdown } from "./markdown.js";

/** Renders what happened, its probable cause and what to do. */
export function causeView(cause: Cause): unknown {
  const { code, happened, more, probable, remedies } = cause;
  if (!code && [happened, more, probable, remedies].every((each) => each.length === 0)) {
    // The description already contains everything.
    return nothing;
  }
  const { detail } = strings;
  const paragraphs = (texts: readonly string[]) => html`<div lang="">${texts.map((text) => markdown(text))}</div>`;
  const part = (title: string, texts: readonly string[], render: (texts: readonly string[]) => unknown) =>
    texts.length > 0 ? html`<h3>${title}</h3>${render(texts)}` : nothing;
  return html`<section class="cause">
    ${part(detail.whatHappened, happened, paragraphs)} ${part(detail.more, more, paragraphs)}
    ${part(detail.probableCause, probable, list)}
    ${part(detail.remedy, remedies, (texts) => html`<div class="remedy">${list(texts)}</div>`)}
    ${code ? html`<p class="muted">${detail.code}: <code>${code}</code></p>` : nothing}
  </section>`;
}

/** Renders one text as a paragraph and several as a list. */
function list(texts: readonly string[]) {
  return texts.length === 1
    ? html`<div lang="">${markdown(texts[0] ?? "")}</div>`
    : html`<ul lang="">
        ${texts.map((text) => html`<li>${markdown(text)}</li>`)}
      </ul>`;
}
