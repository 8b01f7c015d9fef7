import { html, nothing } from "lit";

import { strings } from "../../strings/strings.js";

/** The number of rows that are shown at once; a button shows the others. */
const FOLD = 10;

/** The number of rows that a table has at most; further ones are counted. */
const MAX_ROWS = 200;

/** The number of columns up to which a list of objects is a table. */
const MAX_COLUMNS = 8;

/** A table of an event: what its metadata has in lists, in the order in which it is read. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Renders a table, folded after ten rows. It scrolls rather than breaks its words. */
export function tableView({ columns, rows }: Table): unknown {
  const row = (cells: readonly unknown[]) =>
    html`<tr>${cells.map((cell) => html`<td dir="auto">${cell}</td>`)}</tr>`;
  const [first, others, left] = [rows.slice(0, FOLD), rows.slice(FOLD, MAX_ROWS), rows.length - MAX_ROWS];
  const unfold = ({ currentTarget }: Event): void => {
    const button = currentTarget as HTMLElement;
    button.hidden = true;
    button.previousElementSibling?.querySelector("tbody[hidden]")?.removeAttribute("hidden");
  };
  return html`<div class="wide" tabindex="0" lang=""><table>
      <thead><tr>${columns.map((column) => html`<th scope="col" dir="auto">${column}</th>`)}</tr></thead>
      <tbody>${first.map(row)}</tbody>
      ${others.length > 0 ? html`<tbody hidden>${others.map(row)}</tbody>` : nothing}
    </table></div>
    ${others.length > 0
      ? html`<button class="action" @click=${unfold}>${strings.detail.showMore(rows.length - FOLD)}</button>`
      : nothing}
    ${left > 0 ? html`<p class="muted">${strings.detail.truncated(left)}</p>` : nothing}`;
}

/** The table of a list whose entries are objects with the same simple fields. */
export function likeObjects(list: readonly unknown[], cell: (key: string, value: unknown) => unknown): Table | undefined {
  const isSimple = (value: unknown): boolean => typeof value !== "object" || value === null;
  const isRow = (entry: unknown): entry is Record<string, unknown> =>
    typeof entry === "object" && entry !== null && !Array.isArray(entry) && Object.values(entry).every(isSimple);
  if (list.length < 2 || !list.every(isRow)) {
    return undefined;
  }
  const columns = [...new Set(list.flatMap((entry) => Object.keys(entry)))];
  const [fewest] = list.map((entry) => Object.keys(entry).length).sort((a, b) => a - b);
  // Objects of different kinds have few fields in common.
  return columns.length > 0 && columns.length <= MAX_COLUMNS && 2 * (fewest ?? 0) >= columns.length
    ? { columns, rows: list.map((entry) => columns.map((key) => cell(key, Object.hasOwn(entry, key) ? entry[key] : ""))) }
    : undefined;
}
