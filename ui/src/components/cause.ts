import { webAddress } from "./address.js";

/** Why something failed, as far as the metadata says so. */
export interface Cause {
  readonly code: string;
  readonly happened: readonly string[];
  readonly probable: readonly string[];
  readonly remedies: readonly string[];
  readonly more: readonly string[];
}

/**
 * The cause in an event's metadata, in whichever form it was written. Texts that repeat `description` or
 * each other are left out: many errors say one thing under every name.
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

/** The keys of metadata that only repeat what is said about an event already. */
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

/** What a reader has been told, however it was written. */
class Said {
  readonly #texts = new Set<string>();

  constructor(description: string) {
    this.#add([description]);
    // A description of several lines is shown whole.
    description.split("\n").forEach((line) => this.#add([line]));
  }

  /** Those that say something new, which counts as said then. */
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

/** A text without what makes no difference to a reader: case, spaces, emphasis, a full stop. */
function plain(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[*_~`"'“”‘’]/g, "")
    .replace(/\s+/g, " ")
    .replace(/[\s.!:;,…]+$/, "")
    .trim();
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
