import { webAddress } from "./address.js";

/** Why something failed, as far as the metadata says so. */
export interface Cause {
  readonly code: string;
  readonly happened: readonly string[];
  readonly probable: readonly string[];
  readonly remedies: readonly string[];
  readonly more: readonly string[];
}

/** The cause in an event's metadata, in whichever form it was written. */
export function causeOf(metadata: unknown): Cause | undefined {
  const error = member(metadata, "error") ?? member(metadata, "err");
  if (error === undefined || error === null) {
    return undefined;
  }
  if (typeof error !== "object") {
    const text = scalar(error);
    return text ? { code: "", happened: [text], probable: [], remedies: [], more: [] } : undefined;
  }
  const short = texts(field(error, "ShortDescription"));
  const long = texts(field(error, "LongDescription"));
  const cause: Cause = {
    code: scalar(field(error, "Code")) ?? "",
    happened: short.length > 0 ? short : long,
    probable: texts(field(error, "ProbableCause")),
    remedies: texts(field(error, "SuggestedRemediation")),
    more: short.length > 0 ? long.filter((text) => !short.includes(text)) : [],
  };
  const isEmpty =
    cause.happened.length + cause.probable.length + cause.remedies.length === 0 && !cause.code;
  return isEmpty ? undefined : cause;
}

/** Where more is said about an event. */
export function documentationOf(metadata: unknown): string | undefined {
  return webAddress(member(metadata, "doc")) ?? webAddress(member(metadata, "doclink"));
}

/** A field of a cause under any of the names it goes by: `LongDescription`, `longDescription` or in snake_case. */
function field(error: unknown, name: string): unknown {
  const camel = name.charAt(0).toLowerCase() + name.slice(1);
  const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return member(error, name) ?? member(error, camel) ?? member(error, snake);
}

/** A member of an object, and of nothing that only looks like one. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function texts(value: unknown): string[] {
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.map(scalar).filter((text) => text !== undefined);
}

/** A value that is shown as a text. */
export function scalar(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value.trim() === "" ? undefined : value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return undefined;
  }
}
