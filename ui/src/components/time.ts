import { strings } from "../strings/en.js";

const [MINUTE, HOUR, DAY, WEEK] = [60, 3_600, 86_400, 604_800] as const;

/** Nearer than this is now, in seconds: clocks differ. */
const NOW = 5;

/** Made when it is first needed, since that takes milliseconds. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const dates = (options: Intl.DateTimeFormatOptions) =>
  lazily(() => new Intl.DateTimeFormat(strings.locale, options));
const exact = dates({ dateStyle: "full", timeStyle: "long" });
const date = dates({ dateStyle: "medium" });
const short = dates({ dateStyle: "medium", timeStyle: "short" });

/** How long ago, for a week; a date after that. */
export function relativeTime(time: string, now = Date.now()): string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) {
    return time;
  }
  const seconds = Math.round((now - at) / 1_000);
  if (seconds < -NOW) {
    return -seconds > WEEK ? date().format(at) : strings.time.soon;
  }
  if (seconds < NOW) {
    return strings.time.now;
  }
  if (seconds < MINUTE) {
    return strings.time.seconds(seconds);
  }
  if (seconds < HOUR) {
    return strings.time.minutes(Math.floor(seconds / MINUTE));
  }
  if (seconds < DAY) {
    return strings.time.hours(Math.floor(seconds / HOUR));
  }
  return seconds < WEEK ? strings.time.days(Math.floor(seconds / DAY)) : date().format(at);
}

/** To the second, with the time zone. */
export function exactTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : exact().format(at);
}

/** To the minute, for a filter's name. */
export function shortTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : short().format(at);
}
