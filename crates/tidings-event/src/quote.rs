//! Texts from outside, quoted in errors.

/// The most of a refused text that is repeated in an error, in characters.
const QUOTED_CHARS: usize = 80;

/// The start of `text`, fit to be quoted in an error whatever it holds.
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
