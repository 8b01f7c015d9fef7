import { webAddress } from "./address.js";

/** The cause of a failure, as given in the metadata. */
export interface Cause {
  readonly code: string;
  readonly happened: readonly string[];
  readonly probable: readonly string[];
  readonly remedies: readonly string[];
  readonly more: readonly string[];
}

/**
 * Reads the cause from an event's metadata in any of its forms. Texts that repeat `description` or
 * each other are left out, because many errors repeat one text under every key.
 */
export function causeOf(metadata: unknown, description = ""): Cause | undefined {
  const error = member(metadata, "error") ?? member(metadata, "err");
  if (error === undefined || error === null) {
    return undefined;
  }
  const isText = typeof error !== "object";
  const short = isText ? texts(error) : texts(field(error, "ShortDescription"));
  const long = isText ? [] : texts(field(error, "LongDescription"));
  const probable = isText ? [] : texts(field(error, "ProbableCause"));
  const remedies = isText ? [] : texts(field(error, "SuggestedRemediation"));
  const code = isText ? "" : (scalar(field(error, "Code")) ?? "");
  if ([...short, ...long, ...probable, ...remedies].length === 0 && !code) {
    return undefined;
  }
  const said = new Said(description);
  const [happened, more] = [said.fresh(short), said.fresh(long)];
  return {
    code,
    happened: happened.length > 0 ? happened : more,
    probable: said.fresh(probable),
    remedies: new Said("").fresh(remedies),
    more: happened.length > 0 ? more : [],
  };
}

/** The metadata keys whose values only repeat what the event already shows. */
export function repeatedKeys(metadata: unknown, description: string, cause?: Cause): string[] {
  const said = new Said(description);
  said.fresh([...(cause?.happened ?? []), ...(cause?.more ?? []), ...(cause?.probable ?? [])]);
  const isRepeated = ([, value]: [string, unknown]): boolean => {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return (
      values.length > 0 &&
      values.every((each) => typeof each === "string" && each.trim() !== "") &&
      said.has(values as string[])
    );
  };
  return typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)
    ? Object.entries(metadata).filter(isRepeated).map(([key]) => key)
    : [];
}

/** The texts shown so far, in normalized form. */
class Said {
  readonly #texts = new Set<string>();

  constructor(description: string) {
    this.#add([description]);
    // A multi-line description is shown in full.
    description.split("\n").forEach((line) => this.#add([line]));
  }

  /** Returns the texts that are new and records them as shown. */
  fresh(texts: readonly string[]): string[] {
    if (texts.length > 1 && this.#texts.has(plain(texts.join(" ")))) {
      return [];
    }
    const fresh = texts.filter((text) => {
      const isNew = !this.#texts.has(plain(text));
      this.#add([text]);
      return isNew;
    });
    this.#add(texts);
    return fresh;
  }

  has(texts: readonly string[]): boolean {
    return (
      this.#texts.has(plain(texts.join(" "))) || texts.every((text) => this.#texts.has(plain(text)))
    );
  }

  #add(texts: readonly string[]): void {
    const text = plain(texts.join(" "));
    if (text !== "") {
      this.#texts.add(text);
    }
  }
}

/** Normalizes case, white space, emphasis and a trailing full stop. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[*_~`"'“”‘’]/g, "")
    .replace(/\s+/g, " ")
    .replace(/[\s.!:;,…]+$/, "")
    .trim();
}

/** The link to more information about an event. */
export function documentationOf(metadata: unknown): string | undefined {
  return webAddress(member(metadata, "doc")) ?? webAddress(member(metadata, "doclink"));
}

/** Reads a field of a cause in any spelling: `LongDescription`, `longDescription` or `long_description`. */
function field(error: unknown, name: string): unknown {
  const camel = name.charAt(0).toLowerCase() + name.slice(1);
  const snake = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return member(error, name) ?? member(error, camel) ?? member(error, snake);
}

/** Reads an own member of a plain object. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function texts(value: unknown): string[] {
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.map(scalar).filter((text) => text !== undefined);
}

/** Converts a value to display text. */
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
