import { html, nothing } from "lit";

import { strings } from "../../strings/strings.js";
import { causeOf, member, scalar } from "../cause.js";
import { causeView } from "./cause-view.js";
import { type Table, tableView } from "./table.js";

/** Renders the metadata under a key that is known to be a report; `undefined` if its value has another form. */
export type Report = (value: unknown) => unknown;

/** Reports of deployments, model imports and dry runs, in the forms of their publishers. */
export const REPORTS: Readonly<Record<string, Report>> = {
  summary: deployment,
  ModelDetails: modelImport,
  dryRunResponse: dryRun,
};

const { report } = strings;

/** What became of each component in each place: failures first, with their causes. */
function deployment(value: unknown): unknown {
  const results = entriesOf(value).flatMap(([component, places]) =>
    listOf(places).flatMap((place) =>
      listOf(member(place, "Summary")).map((result) => ({ component, place: member(place, "Location"), result })),
    ),
  );
  const isFailed = ({ result }: (typeof results)[number]): boolean => member(result, "Success") === false;
  const sorted = [...results.filter(isFailed), ...results.filter((each) => !isFailed(each))];
  return table([report.component, report.kind, report.context, report.result, report.message], sorted.map((each) => [
    each.component,
    textOf(member(each.result, "Kind")),
    textOf(each.place),
    isFailed(each) ? failed() : report.ok,
    message(textOf(member(each.result, "Message")), member(each.result, "Error")),
  ]));
}

/** What was imported of each model: errors first, then counts. */
function modelImport(value: unknown): unknown {
  const models = entriesOf(value).filter(([, model]) =>
    ["Components", "Relationships", "Errors"].some((name) => Array.isArray(member(model, name))),
  );
  const errors = models.flatMap(([model, details]) =>
    listOf(member(details, "Errors")).map((each) => [
      model,
      listOf(member(each, "entityType")).map(textOf).join(", "),
      message("", member(each, "error")),
    ]),
  );
  const count = (model: unknown, name: string): number => listOf(member(model, name)).length;
  const counts = models.map(([model, details]) => [
    model,
    ...["Components", "Relationships", "Errors"].map((name) => strings.number(count(details, name))),
  ]);
  return models.length === 0
    ? undefined
    : html`${errors.length > 0 ? table([report.model, report.kind, report.message], errors) : nothing}
        ${table([report.model, report.components, report.relationships, report.errors], counts)}`;
}

/** What a dry run objects to: the field and the reason. */
function dryRun(value: unknown): unknown {
  const rows = entriesOf(value).flatMap(([component, contexts]) =>
    entriesOf(contexts).flatMap(([, result]) => {
      const error = member(result, "error");
      const causes = listOf(member(error, "Causes"));
      if (member(result, "success") !== false) {
        return [];
      }
      return causes.length > 0
        ? causes.map((cause) => [component, textOf(member(cause, "FieldPath")), textOf(member(cause, "Message"))])
        : [[component, "", textOf(member(error, "Status"))]];
    }),
  );
  return table([report.component, report.field, report.message], rows);
}

function table(columns: Table["columns"], rows: Table["rows"]): unknown {
  return rows.length > 0 ? tableView({ columns, rows }) : undefined;
}

function failed(): unknown {
  return html`<strong class="failed">${report.failed}</strong>`;
}

/** A message, and the cause of the failure behind it. */
function message(text: string, error: unknown): unknown {
  const cause = causeOf({ error }, text);
  return html`${text}${cause ? causeView(cause) : nothing}`;
}

function textOf(value: unknown): string {
  return scalar(value) ?? "";
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}
