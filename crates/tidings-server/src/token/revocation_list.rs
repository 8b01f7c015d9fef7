//! The list of revoked tokens as lines of a text.
//!
//! A line is the `jti` of a token and, after a space, the time of its expiry (RFC 3339), after which the
//! line can be dropped. Empty lines and what follows a `#` at the beginning of a word are comments.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

/// How many revoked tokens are known at a time.
pub(super) const MAX_REVOKED: usize = 100_000;

/// The longest `jti` that can be revoked, and so the longest a token may have.
pub(super) const MAX_ID_BYTES: usize = 256;

/// The largest file of a list: room for all with long ids, and for lines that are over.
pub(super) const MAX_LIST_BYTES: u64 = 32 * 1024 * 1024;

/// For how long past its token's expiry a line counts: as long as the leeway can be at most.
pub(super) const GRACE: Duration = super::config::MAX_LEEWAY;

/// The revoked ids, and until when each is of use; none for ever.
pub(super) type List = HashMap<Box<str>, Option<Timestamp>>;

/// Why a text is no list of revoked tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// An id is too long.
    #[error("line {line} has an id of more than {MAX_ID_BYTES} bytes, which no token has")]
    LongId {
        /// Counted from 1.
        line: usize,
    },
    /// What follows an id is no time.
    #[error(
        "line {line} has something else than a time behind the id: give none, or one like \
         2026-08-01T12:00:00Z"
    )]
    Time {
        /// Counted from 1.
        line: usize,
    },
    /// There are too many.
    #[error(
        "it has more than {MAX_REVOKED} tokens; give each line the time at which its token expires, so \
         that it can be dropped, or exchange the keys"
    )]
    TooMany,
}

/// Reads a list. A line whose time has passed at `now` counts as well, unless there are too many: the
/// clock may be wrong, or the time.
///
/// # Errors
///
/// [`ListFault`]; then nothing of it counts.
pub(super) fn read(text: &[u8], now: Timestamp) -> Result<List, ListFault> {
    let text = std::str::from_utf8(text).map_err(|_| ListFault::NotUtf8)?;
    // Some editors put it in front.
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
        if crowded && !is_of_use(until, now) {
            continue;
        }
        // Of two lines about one token the one that counts longer.
        let known = list.entry(id.into()).or_insert(until);
        *known = longer(*known, until);
        if list.len() > MAX_REVOKED && !crowded {
            crowded = true;
            list.retain(|_, until| is_of_use(*until, now));
        }
        if list.len() > MAX_REVOKED {
            return Err(ListFault::TooMany);
        }
    }
    Ok(list)
}

/// A line of a list; without a time it counts for ever.
pub(super) fn line(id: &str, until: Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("{id} {until}\n"),
        None => format!("{id}\n"),
    }
}

/// Whether an id can be a word of a list.
pub(super) fn is_listable(id: &str) -> bool {
    let is_word = |char: char| !char.is_whitespace() && !char.is_control();
    // At the beginning of a list it would be taken for a mark of its encoding.
    let begins_well = !id.starts_with(['#', '\u{feff}']);
    (1..=MAX_ID_BYTES).contains(&id.len()) && begins_well && id.chars().all(is_word)
}

/// Whether a token may still be accepted if it were not revoked.
pub(super) fn is_of_use(until: Option<Timestamp>, now: Timestamp) -> bool {
    // Beyond the end of time a token never ends.
    let ends = until.and_then(|until| until.checked_add(GRACE).ok());
    ends.is_none_or(|end| end > now)
}

/// The later of two times, where none is never.
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
    fn a_list_has_an_id_a_line_and_comments() {
        let text =
            "\u{feff}# stolen laptop\r\na-1\r\n\n  b:2/x= 2026-08-02T00:00:00Z # lost\n\t#c\nd#4";
        assert_eq!(ids(text), ["a-1", "b:2/x=", "d#4"]);
        assert_eq!(ids(""), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_over_counts_and_the_longer_of_two_does() {
        let text = "old 2026-08-01T11:55:00Z\nnew 2026-08-01T11:55:00.001Z\n\
                    twice 2026-08-02T00:00:00+01:00\ntwice\ntwice 2026-08-03T00:00:00Z\n";
        assert_eq!(ids(text), ["new", "old", "twice"]);
        let list = read(text.as_bytes(), now()).unwrap();
        assert_eq!(list["twice"], None);
    }

    #[test]
    fn what_never_ends_is_never_dropped() {
        for until in [Timestamp::MAX, Timestamp::MAX - Duration::from_secs(1)] {
            assert_eq!(ids(&line("a", Some(until))), ["a"]);
        }
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
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
    fn a_list_has_an_end() {
        let text: String = (0..MAX_REVOKED)
            .map(|number| format!("{number}\n"))
            .collect();
        assert_eq!(ids(&text).len(), MAX_REVOKED);
        let more = format!("{text}more\n");
        assert_eq!(read(more.as_bytes(), now()), Err(ListFault::TooMany));
        // What is over makes room, wherever it stands.
        let old = "old-1 2026-07-01T00:00:00Z\nold-2 2026-07-01T00:00:00Z\n";
        for crowded in [format!("{text}{old}0\n"), format!("{old}{text}{old}")] {
            let ids = ids(&crowded);
            assert_eq!(ids.len(), MAX_REVOKED);
            assert!(!ids.contains(&"old-1".to_owned()));
        }
    }

    #[test]
    fn a_line_reads_back_for_every_id_that_is_listable() {
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
