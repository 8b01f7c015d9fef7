//! The list of revoked tokens as lines of text.
//!
//! A line is the `jti` of a token and, after a space, its expiry (RFC 3339), after which the line can be
//! removed. Empty lines, and text after a `#` at the beginning of a word, are comments.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::revoke_error::{MAX_ID_BYTES, MAX_REVOKED};

/// The largest file: room for all revocations with long ids, and for lines that have expired.
pub(super) const MAX_LIST_BYTES: u64 = 32 * 1024 * 1024;

/// A line counts for this long after its token's expiry: the longest leeway.
pub(super) const GRACE: Duration = super::config::MAX_LEEWAY;

/// The revoked ids, each with its expiry. An id without one counts forever.
pub(super) type List = HashMap<Box<str>, Option<Timestamp>>;

/// Why a text is not a list of revoked tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListFault {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// An id is too long.
    #[error("line {line} has an id of more than {MAX_ID_BYTES} bytes, which no token has")]
    LongId {
        /// Counted from 1.
        line: usize,
    },
    /// The text after an id is not a time.
    #[error(
        "line {line} has text after the id that is not a time: remove it, or write one like \
         2026-08-01T12:00:00Z"
    )]
    Time {
        /// Counted from 1.
        line: usize,
    },
    /// The list is too long.
    #[error(
        "it has more than {MAX_REVOKED} tokens; give each line the expiry of its token, so that it can be \
         removed, or replace the keys"
    )]
    TooMany,
}

/// Parses a list. A line whose time has passed at `now` counts too, unless there are too many: the clock
/// or the time can be wrong.
///
/// # Errors
///
/// [`ListFault`]; then no line counts.
pub(super) fn read(text: &[u8], now: Timestamp) -> Result<List, ListFault> {
    let text = std::str::from_utf8(text).map_err(|_| ListFault::NotUtf8)?;
    // Some editors write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut list = List::new();
    let mut crowded = false;
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let mut words = text
            .split_whitespace()
            .take_while(|word| !word.starts_with('#'));
        let Some(id) = words.next() else {
            continue;
        };
        if id.len() > MAX_ID_BYTES {
            return Err(ListFault::LongId { line });
        }
        let until = match (words.next(), words.next()) {
            (None, _) => None,
            (Some(time), None) => {
                let time = time.parse::<Timestamp>();
                Some(time.map_err(|_| ListFault::Time { line })?)
            }
            (Some(_), Some(_)) => return Err(ListFault::Time { line }),
        };
        if crowded && !is_needed(until, now) {
            continue;
        }
        // Of two lines about one token the later time counts.
        let known = list.entry(id.into()).or_insert(until);
        *known = longer(*known, until);
        if list.len() > MAX_REVOKED && !crowded {
            crowded = true;
            list.retain(|_, until| is_needed(*until, now));
        }
        if list.len() > MAX_REVOKED {
            return Err(ListFault::TooMany);
        }
    }
    Ok(list)
}

/// A line of a list. Without a time it counts forever.
pub(super) fn line(id: &str, until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("{id} {until}\n"),
        None => format!("{id}\n"),
    }
}

/// Whether an id can stand in a list.
pub(super) fn is_listable(id: &str) -> bool {
    let is_word = |char: char| !char.is_whitespace() && !char.is_control();
    // At the beginning of a list U+FEFF is a byte order mark.
    let begins_well = !id.starts_with(['#', '\u{feff}']);
    (1..=MAX_ID_BYTES).contains(&id.len()) && begins_well && id.chars().all(is_word)
}

/// Whether a token would still be accepted if it were not revoked.
pub(super) fn is_needed(until: Option<Timestamp>, now: Timestamp) -> bool {
    // A token whose end cannot be represented never ends.
    let ends = until.and_then(|until| until.checked_add(GRACE).ok());
    ends.is_none_or(|end| end > now)
}

/// The later of two times. `None` is later than every time.
pub(super) fn longer(one: Option<Timestamp>, two: Option<Timestamp>) -> Option<Timestamp> {
    one.zip(two).map(|(one, two)| one.max(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-08-01T12:00:00Z".parse().unwrap()
    }

    fn ids(text: &str) -> Vec<String> {
        let mut ids: Vec<String> = read(text.as_bytes(), now())
            .unwrap()
            .into_keys()
            .map(String::from)
            .collect();
        ids.sort();
        ids
    }

    #[test]
    fn reads_an_id_per_line_and_comments() {
        let text =
            "\u{feff}# stolen laptop\r\na-1\r\n\n  b:2/x= 2026-08-02T00:00:00Z # lost\n\t#c\nd#4";
        assert_eq!(ids(text), ["a-1", "b:2/x=", "d#4"]);
        assert_eq!(ids(""), Vec::<String>::new());
    }

    #[test]
    fn expired_lines_count_and_the_later_of_two_wins() {
        let text = "old 2026-08-01T11:55:00Z\nnew 2026-08-01T11:55:00.001Z\n\
                    twice 2026-08-02T00:00:00+01:00\ntwice\ntwice 2026-08-03T00:00:00Z\n";
        assert_eq!(ids(text), ["new", "old", "twice"]);
        let list = read(text.as_bytes(), now()).unwrap();
        assert_eq!(list["twice"], None);
    }

    #[test]
    fn keeps_lines_that_never_expire() {
        for until in [Timestamp::MAX, Timestamp::MAX - Duration::from_secs(1)] {
            assert_eq!(ids(&line("a", Some(until))), ["a"]);
        }
    }

    #[test]
    fn names_a_malformed_line() {
        let long = format!("a\n{}", "x".repeat(MAX_ID_BYTES + 1));
        for (text, fault) in [
            ("a\n\nb tomorrow", ListFault::Time { line: 3 }),
            ("a 2026-08-02", ListFault::Time { line: 1 }),
            ("a 2026-08-02T00:00:00Z b", ListFault::Time { line: 1 }),
            (&*long, ListFault::LongId { line: 2 }),
        ] {
            assert_eq!(read(text.as_bytes(), now()), Err(fault), "{text}");
        }
        assert_eq!(read(b"a\xff", now()), Err(ListFault::NotUtf8));
    }

    #[test]
    fn bounds_the_length_of_a_list() {
        let text: String = (0..MAX_REVOKED)
            .map(|number| format!("{number}\n"))
            .collect();
        assert_eq!(ids(&text).len(), MAX_REVOKED);
        let more = format!("{text}more\n");
        assert_eq!(read(more.as_bytes(), now()), Err(ListFault::TooMany));
        // Expired lines make room, wherever they stand.
        let old = "old-1 2026-07-01T00:00:00Z\nold-2 2026-07-01T00:00:00Z\n";
        for crowded in [format!("{text}{old}0\n"), format!("{old}{text}{old}")] {
            let ids = ids(&crowded);
            assert_eq!(ids.len(), MAX_REVOKED);
            assert!(!ids.contains(&"old-1".to_owned()));
        }
    }

    #[test]
    fn every_listable_id_reads_back() {
        let until = "2026-08-02T00:00:00.25Z".parse().unwrap();
        for (id, listable) in [
            ("7b1d2c3e-0000-4000-8000-000000000001", true),
            ("a#b", true),
            ("é", true),
            ("", false),
            ("#a", false),
            ("\u{feff}a", false),
            ("a b", false),
            ("a\u{a0}b", false),
            ("a\n", false),
            ("a\0", false),
        ] {
            assert_eq!(is_listable(id), listable, "{id:?}");
            if listable {
                for until in [Some(until), None] {
                    let list = read(line(id, until).as_bytes(), now()).unwrap();
                    assert_eq!(list[id], until);
                }
            }
        }
    }
}
