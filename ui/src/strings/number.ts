/** Writes numbers of a language other than English. */
let format: Intl.NumberFormat | undefined;

/** Sets the language that numbers are written in. */
export function writeNumbersIn(locale: string): void {
  format = /^en(-US)?$/i.test(locale) ? undefined : new Intl.NumberFormat(locale);
}

/** Groups thousands. In English by hand, because `Intl.NumberFormat` would cost the first paint 30 ms. */
export function number(count: number): string {
  return format ? format.format(count) : String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
