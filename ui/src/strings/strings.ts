import { english } from "./en.js";
import { writeNumbersIn } from "./number.js";

/** Every text of the elements. */
export type Strings = typeof english;

type Part<T> = T extends ((...values: never[]) => unknown) | readonly unknown[] | string
  ? T
  : { readonly [Name in keyof T]?: Part<T[Name]> };

/** Some or all of the texts. */
export type PartialStrings = Part<Strings>;

/** What a host page can choose. A field that is left out stays as it is; `null` and `undefined` are the default. */
export interface Language {
  /** The texts that replace the English ones; those that are left out are English. */
  readonly strings?: PartialStrings | null | undefined;
  /** The language of numbers and times, such as `de-CH`; default: that of the texts. */
  readonly locale?: string | null | undefined;
}

/** The texts of the page. */
export let strings: Strings = english;

/** The language of numbers and times. */
export let locale = english.locale;

let chosen: Language = {};
const listeners = new Set<() => void>();

/** Replaces the texts of all elements on the page, and the language of their numbers and times. */
export function setLanguage(language: Language): void {
  const next = { ...chosen, ...language };
  if (next.strings === chosen.strings && next.locale === chosen.locale) {
    return;
  }
  chosen = next;
  strings = merged(english, next.strings);
  locale = known(next.locale) ?? known(strings.locale) ?? english.locale;
  writeNumbersIn(locale);
  for (const listener of listeners) {
    listener();
  }
}

/** Calls `changed` after each change of the language, until the returned function is called. */
export function watchLanguage(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** The name of a language if it is well-formed. */
function known(name: string | null | undefined): string | undefined {
  try {
    return name ? Intl.getCanonicalLocales(name)[0] : undefined;
  } catch {
    return undefined;
  }
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy of `texts` with those that `others` has. A text of another type than the original one is left out. */
function merged<T extends object>(texts: T, others: unknown): T {
  if (!isGroup(others)) {
    return texts;
  }
  const all = { ...texts } as Record<string, unknown>;
  for (const [name, other] of Object.entries(others)) {
    const text = all[name];
    if (isGroup(text)) {
      all[name] = merged(text, other);
    } else if (typeof other === typeof text || (text === undefined && typeof other === "string")) {
      all[name] = other;
    }
  }
  return all as T;
}
