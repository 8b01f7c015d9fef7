//! Quoting of untrusted texts in errors.

/// The maximum length of a quoted text, in characters.
const QUOTED_CHARS: usize = 80;

/// The start of `text` with escaped control characters, for an error.
pub(crate) fn shortened(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(QUOTED_CHARS)
        .flat_map(char::escape_default)
        .collect();
    if text.chars().nth(QUOTED_CHARS).is_some() {
        quoted.push('…');
    }
    quoted
}
