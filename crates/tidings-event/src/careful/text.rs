//! Texts in JSON: their end, and their escapes.

use std::borrow::Cow;

/// The position after the closing quote of the text whose opening quote is at `at`.
pub(super) fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Resolves the escapes of a text. The flag is true if a character was replaced.
pub(super) fn unescaped(text: &str) -> (Cow<'_, str>, bool) {
    let Some(first) = text.find('\\') else {
        return (text.into(), false);
    };
    let mut said = text[..first].to_owned();
    let mut replaced = false;
    let mut rest = &text[first..];
    while let Some(escape) = rest.strip_prefix('\\') {
        let mut length = 1;
        match escape.as_bytes().first() {
            Some(b'b') => said.push('\u{8}'),
            Some(b'f') => said.push('\u{c}'),
            Some(b'n') => said.push('\n'),
            Some(b'r') => said.push('\r'),
            Some(b't') => said.push('\t'),
            Some(b'u') => {
                let (character, taken) = surrogates(escape);
                replaced |= character.is_none();
                said.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                length = taken;
            }
            Some(&other) => said.push(char::from(other)),
            None => break,
        }
        rest = escape.get(length..).unwrap_or_default();
        let next = rest.find('\\').unwrap_or(rest.len());
        said.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    (said.into(), replaced)
}

/// The character of `u0041` or of a surrogate pair of two such escapes, and the number of bytes used.
fn surrogates(escape: &str) -> (Option<char>, usize) {
    const UNIT: usize = 5;
    let unit = |text: &str| {
        text.get(1..UNIT)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
    };
    let Some(first) = unit(escape) else {
        return (None, UNIT);
    };
    if let Some(character) = char::from_u32(first.into()) {
        return (Some(character), UNIT);
    }
    let second = escape.get(UNIT..).and_then(|rest| rest.strip_prefix('\\'));
    let second = second.filter(|rest| rest.starts_with('u')).and_then(unit);
    match second.map(|second| char::decode_utf16([first, second]).next()) {
        Some(Some(Ok(character))) => (Some(character), UNIT + 1 + UNIT),
        _ => (None, UNIT),
    }
}
