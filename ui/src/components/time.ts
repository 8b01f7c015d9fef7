import { locale, strings } from "../strings/strings.js";

const [MINUTE, HOUR, DAY, WEEK] = [60, 3_600, 86_400, 604_800] as const;

/** Differences below this are shown as "now", in seconds, because clocks differ. */
const NOW = 5;

/** Created on first use, because construction takes milliseconds, and again in another language. */
function dates(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  let made: Intl.DateTimeFormat | undefined;
  let language: string | undefined;
  return () => {
    if (!made || language !== locale) {
      made = new Intl.DateTimeFormat(locale, options);
      language = locale;
    }
    return made;
  };
}

const exact = dates({ dateStyle: "full", timeStyle: "long" });
const date = dates({ dateStyle: "medium" });
const short = dates({ dateStyle: "medium", timeStyle: "short" });

/** A relative time for up to a week, then a date. */
export function relativeTime(time: string, now = Date.now()): string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) {
    return time;
  }
  const seconds = Math.round((now - at) / 1_000);
  if (seconds < -NOW) {
    return -seconds > WEEK ? date().format(at) : strings.time.soon;
  }
  // A number of seconds would be wrong soon after it is shown.
  if (seconds < MINUTE) {
    return strings.time.now;
  }
  if (seconds < HOUR) {
    return strings.time.minutes(Math.floor(seconds / MINUTE));
  }
  if (seconds < DAY) {
    return strings.time.hours(Math.floor(seconds / HOUR));
  }
  return seconds < WEEK ? strings.time.days(Math.floor(seconds / DAY)) : date().format(at);
}

/** The day of a time for the reader: "Today", a weekday of the last week, or a date. */
export function dayOf(time: string, now = Date.now()): string {
  const at = new Date(time);
  const days = Math.round((midnight(new Date(now)) - midnight(at)) / (DAY * 1_000));
  if (days === 0) {
    return strings.time.today;
  }
  if (days === 1) {
    return strings.time.yesterday;
  }
  const weekday = days > 1 && days < 7 ? strings.time.weekdays[at.getDay()] : undefined;
  return weekday ?? (Number.isNaN(days) ? time : date().format(at));
}

function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** The time to the second, with its zone. */
export function exactTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : exact().format(at);
}

/** The time to the minute, for a filter chip. */
export function shortTime(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : short().format(at);
}
