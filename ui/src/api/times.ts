/** Normalizes a UTC time to nine fractional digits, so that strings compare like times. */
export function sortable(time: string): string {
  const [seconds = "", fraction = ""] = time.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}

/** The later of two UTC times. */
export function laterOf(one: string, other: string): string {
  return sortable(one) > sortable(other) ? one : other;
}
