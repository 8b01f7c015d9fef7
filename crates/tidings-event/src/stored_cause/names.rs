//! Keys of an error in any spelling.

use serde_json::{Map, Value};

/// Whether a bare name is that of a part, in singular or plural.
pub(super) fn is_spelling(name: &str, part: &str) -> bool {
    let name = name.strip_suffix('s').unwrap_or(name);
    name.eq_ignore_ascii_case(part)
}

/// The keys whose bare name satisfies `is_wanted`.
pub(super) fn names(object: &Map<String, Value>, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let keys = object.keys().filter(|key| is_wanted(&bare(key)));
    keys.cloned().collect()
}

/// A key in lower case without separators.
pub(super) fn bare(key: &str) -> String {
    let letters = key
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.collect::<String>().to_ascii_lowercase()
}
