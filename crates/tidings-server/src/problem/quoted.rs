//! Texts of clients in error bodies.

/// The most of a rejected text that is repeated, in characters.
const MAX_CHARS: usize = 80;

/// The start of a text of a client, escaped so that it can be shown whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    let start: String = text
        .chars()
        .take(MAX_CHARS)
        .map(|char| match char {
            '"' | '\'' => char.to_string(),
            other => other.escape_debug().to_string(),
        })
        .collect();
    let end = match text.chars().nth(MAX_CHARS) {
        Some(_) => "…",
        None => "",
    };
    format!("`{start}{end}`")
}
