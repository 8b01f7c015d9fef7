import { Lexer, type Token, type Tokens } from "marked";
import { html, nothing } from "lit";

import { webAddress } from "../address.js";

/** Longer texts are shown unformatted: they are usually logs, and parsing them is slow. */
const MAX_CHARACTERS = 16_384;

/** What people write as Markdown, or what only a link can show, in a description. */
const RICH = /https?:\/\/|\*\*|\]\(|```|^#{1,6} |^ {0,3}([-*]|\d+\.) /m;

/** Whether a description shows more as Markdown than as a plain text. */
export function isRich(text: string): boolean {
  return RICH.test(text);
}

/**
 * Renders Markdown as templates: tokens select the elements, and every text stays a text node.
 * HTML is shown as source, images become links, and links to anything but the web become text.
 */
export function markdown(text: string): unknown {
  if (text.length > MAX_CHARACTERS) {
    return html`<pre>${text}</pre>`;
  }
  try {
    return Lexer.lex(text, { gfm: true, breaks: true }).map(block);
  } catch {
    // The nesting limit, deeper than any real text.
    return html`<pre>${text}</pre>`;
  }
}

function block(token: Token): unknown {
  switch (token.type) {
    case "space":
    case "def":
      return nothing;
    case "heading":
      return html`<p dir="auto"><strong>${inlines(token)}</strong></p>`;
    case "paragraph":
      return html`<p dir="auto">${inlines(token)}</p>`;
    case "text":
      return inlines(token);
    case "code":
      return html`<pre><code>${(token as Tokens.Code).text}</code></pre>`;
    case "blockquote":
      return html`<blockquote>${(token as Tokens.Blockquote).tokens.map(block)}</blockquote>`;
    case "hr":
      return html`<hr />`;
    case "list": {
      const list = token as Tokens.List;
      const items = list.items.map(
        ({ loose, task, tokens }) =>
          // Paragraphs have directions of their own.
          html`<li dir=${loose ? nothing : "auto"} class=${task ? "task" : nothing}>${tokens.map(block)}</li>`,
      );
      return list.ordered ? html`<ol>${items}</ol>` : html`<ul>${items}</ul>`;
    }
    case "table": {
      const { header, rows } = token as Tokens.Table;
      const head = header.map((cell) => html`<th dir="auto">${cell.tokens.map(inline)}</th>`);
      const cells = (row: Tokens.TableCell[]) =>
        row.map((cell) => html`<td dir="auto">${cell.tokens.map(inline)}</td>`);
      return html`<div class="wide" tabindex="0"><table>
        <thead><tr>${head}</tr></thead>
        <tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody>
      </table></div>`;
    }
    case "checkbox":
      return checkbox(token);
    default:
      return html`<p dir="auto">${token.raw}</p>`;
  }
}

function inlines(token: Token): unknown {
  const { tokens } = token as { tokens?: Token[] };
  return tokens ? tokens.map(inline) : textOf(token);
}

function inline(token: Token): unknown {
  switch (token.type) {
    case "strong":
      return html`<strong>${inlines(token)}</strong>`;
    case "em":
      return html`<em>${inlines(token)}</em>`;
    case "del":
      return html`<del>${inlines(token)}</del>`;
    case "codespan":
      return html`<code>${textOf(token)}</code>`;
    case "br":
      return html`<br />`;
    case "checkbox":
      return checkbox(token);
    case "link":
    case "image": {
      const { href, text, raw } = token as Tokens.Link;
      const address = webAddress(href);
      return address ? html`<a href=${address} rel="noopener noreferrer" target="_blank">${text || address}</a>` : raw;
    }
    case "text":
    case "escape":
      return inlines(token);
    default:
      return token.raw;
  }
}

/** The box of a task, which stands before its text. */
function checkbox(token: Token): string {
  return (token as Tokens.Checkbox).checked ? "☑ " : "☐ ";
}

/** Disables the lexer's escaping, because templates escape every text. */
function textOf(token: Token): string {
  return (token as { text?: string }).text ?? token.raw;
}
