//! Values that must say something.

/// Parses the value of a flag that names somebody. A variable without a value must not name the caller instead.
pub(crate) fn not_blank(text: &str) -> Result<String, &'static str> {
    let is_blank = text
        .chars()
        .all(|char| char.is_whitespace() || matches!(char, '"' | '\''));
    match is_blank {
        true => Err("it is blank; give a value, or leave the flag out"),
        false => Ok(text.to_owned()),
    }
}
