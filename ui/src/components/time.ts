import { strings } from "../strings/en.js";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat(strings.locale, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(strings.locale, { dateStyle: "full", timeStyle: "long" });
const date = new Intl.DateTimeFormat(strings.locale, { dateStyle: "medium" });
const short = new Intl.DateTimeFormat(strings.locale, { dateStyle: "medium", timeStyle: "short" });

/** How long ago, for a week; a date after that. */
export function relativeTime(time: string, now = Date.now()): string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) {
    return time;
  }
  const seconds = Math.round((at - now) / 1_000);
  if (Math.abs(seconds) > 7 * 86_400) {
    return date.format(at);
  }
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) {
      return relative.format(Math.trunc(seconds / length), unit);
    }
  }
  return relative.format(Math.abs(seconds) < 5 ? 0 : seconds, "second");
}

/** To the second, with the time zone. */
export function exactTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : exact.format(at);
}

/** To the minute, for a filter's name. */
export function shortTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : short.format(at);
}
