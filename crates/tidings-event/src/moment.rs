//! Reads times in other forms than RFC 3339.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use crate::quote::shortened;
use crate::warning::{Warning, WarningCode, warn};

/// Forms of other languages: Go's `time.String`, JavaScript's `Date.toString`, C's `asctime`.
const FORMATS: [&str; 6] = [
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y/%m/%d %H:%M:%S%.f %z",
    "%a %b %d %Y %H:%M:%S GMT%z",
    "%a %b %d %H:%M:%S %z %Y",
    "%Y%m%dT%H%M%S%.f%z",
    "%d/%b/%Y:%H:%M:%S %z",
];

/// The same without an offset; they are read as UTC.
const CIVIL_FORMATS: [&str; 4] = [
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S UTC %Y",
    "%Y/%m/%d %H:%M:%S%.f",
    "%a %b %d %Y %H:%M:%S",
];

/// The maximum length of a time, in bytes.
const MAX_BYTES: usize = 100;

/// Whether the store can represent this time. The years 1970 to 2262 fit into a signed 64-bit count of
/// nanoseconds since 1970.
pub(crate) fn is_storable(moment: Timestamp) -> bool {
    moment >= Timestamp::UNIX_EPOCH && i64::try_from(moment.as_nanosecond()).is_ok()
}

/// Reads a time in any known form, if it can be stored. A time without an offset is UTC. A number counts
/// seconds, milliseconds, microseconds or nanoseconds since 1970, depending on its size.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    of_number(text)
        .or_else(|| of_text(text))
        .filter(|moment| is_storable(*moment))
}

/// Reads a time and adds a warning about the conversion or the default.
pub(crate) fn repaired(
    field: &str,
    text: &str,
    default: &str,
    warnings: &mut Vec<Warning>,
) -> Option<Timestamp> {
    let quoted = shortened(text);
    let moment = read(text);
    let (code, message) = match moment {
        Some(moment) => (
            WarningCode::Converted,
            format!("`{quoted}` is stored as {moment}"),
        ),
        None => (
            WarningCode::Defaulted,
            format!("`{quoted}` is not a time between 1970 and 2262; {default} is stored"),
        ),
    };
    warn(warnings, field, code, message);
    moment
}

fn of_text(text: &str) -> Option<Timestamp> {
    // Go appends its monotonic clock; JavaScript and Java append the name of the zone.
    let text = text.split(" m=").next().unwrap_or(text);
    let text = match text.rfind(" (") {
        Some(end) if text.ends_with(')') => &text[..end],
        _ => text,
    };
    let text = without_zone_name(text);
    let text = text
        .strip_suffix(" GMT")
        .map_or_else(|| text.to_owned(), |start| format!("{start} +0000"));
    let text = without_tiny_digits(&text);
    let text = text.as_str();
    // ISO 8601 and Java's log format have a comma before the fraction.
    let with_point = text.replacen(',', ".", 1);
    for text in [text, with_point.as_str()] {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(moment);
        }
        if let Ok(civil) = text.parse::<DateTime>() {
            return TimeZone::UTC.to_timestamp(civil).ok();
        }
    }
    if let Ok(date) = text.parse::<Date>() {
        return TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    }
    if let Ok(moment) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(moment);
    }
    let of_format = |format: &&str| Timestamp::strptime(format, text).ok();
    if let Some(moment) = FORMATS.iter().find_map(of_format) {
        return Some(moment);
    }
    let civil = |format: &&str| DateTime::strptime(format, text).ok();
    let civil = CIVIL_FORMATS.iter().find_map(civil)?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Cuts the fraction to nine digits, which are nanoseconds. RFC 3339 allows more.
fn without_tiny_digits(text: &str) -> String {
    const KEPT: usize = 9;
    let Some(point) = text.find(['.', ',']) else {
        return text.to_owned();
    };
    let (start, fraction) = text.split_at(point + 1);
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let digits = fraction.bytes().take_while(is_digit).count();
    format!(
        "{start}{}{}",
        &fraction[..digits.min(KEPT)],
        &fraction[digits..]
    )
}

/// Removes the name of a zone after its offset, as in `+0200 CEST`.
fn without_zone_name(text: &str) -> &str {
    let Some((start, name)) = text.rsplit_once(' ') else {
        return text;
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase());
    let has_offset = start
        .rsplit_once(' ')
        .is_some_and(|(_, offset)| offset.starts_with(['+', '-']));
    if is_name && (has_offset || name == "UTC") {
        start
    } else {
        text
    }
}

/// Reads a count since 1970. Seconds have up to 11 digits until the year 5138; each smaller unit has 3 more.
fn of_number(text: &str) -> Option<Timestamp> {
    const NANOSECONDS: i128 = 1_000_000_000;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Eight digits are a date without separators, and four are a year.
    if !(9..=19).contains(&whole.len()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let unit = match whole.len() {
        ..=11 => NANOSECONDS,
        12..=14 => NANOSECONDS / 1_000,
        15..=17 => 1_000,
        _ => 1,
    };
    let whole: i128 = whole.parse().ok()?;
    let nine: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let fraction: i128 = nine.parse().ok()?;
    Timestamp::from_nanosecond(whole * unit + fraction * unit / NANOSECONDS).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_other_languages() {
        for text in [
            "2026-08-01T10:00:00Z",
            "2026-08-01t12:00:00+02:00",
            "2026-08-01 10:00:00",
            "2026-08-01T10:00:00",
            "2026-08-01T10:00:00.000",
            "2026-08-01T10:00:00,000Z",
            "2026-08-01 10:00:00.000000 +0000 UTC",
            "2026-08-01 12:00:00.000000 +0200 CEST m=+0.000012",
            "Sat, 01 Aug 2026 10:00:00 GMT",
            "Sat, 01 Aug 2026 12:00:00 +0200",
            "Sat Aug 01 2026 12:00:00 GMT+0200 (Central European Summer Time)",
            "Sat Aug  1 10:00:00 2026",
            "Sat Aug  1 10:00:00 UTC 2026",
            "20260801T100000Z",
            "1785578400",
            "1785578400000",
            "1785578400000000",
            "1785578400000000000",
            "1785578400.0",
            " 2026-08-01T10:00:00Z ",
        ] {
            let read = read(text).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), Some("2026-08-01T10:00:00Z"), "{text}");
        }
        for digits in ["123456789123Z", "1234567891Z", "123456789999+00:00"] {
            let fraction = read(&format!("2026-08-01T10:00:00.{digits}")).unwrap();
            assert_eq!(fraction.to_string(), "2026-08-01T10:00:00.123456789Z");
        }
        let fraction = read("1785578400.25").unwrap();
        assert_eq!(fraction.to_string(), "2026-08-01T10:00:00.25Z");
        let fraction = read("1785578400250.5").unwrap();
        assert_eq!(fraction.to_string(), "2026-08-01T10:00:00.2505Z");
        assert_eq!(
            read("2026-08-01").unwrap().to_string(),
            "2026-08-01T00:00:00Z"
        );
    }

    #[test]
    fn rejects_other_texts_and_times_that_cannot_be_stored() {
        let long = "2".repeat(10_000);
        for text in [
            "",
            "yesterday",
            "2026",
            "12345",
            "-1785578400",
            "1e9",
            "1969-12-31T23:59:59Z",
            "2263-01-01T00:00:00Z",
            "9999999999999999999",
            &long,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
