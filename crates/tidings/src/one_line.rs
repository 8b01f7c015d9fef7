//! JSON on one line.

use bytes::{BufMut as _, Bytes, BytesMut};
use memchr::memchr2_iter;

/// Escapes the line separators of Unicode; JSON itself escapes the control characters of ASCII.
pub(crate) fn on_one_line(json: Bytes) -> Bytes {
    let mut escaped = BytesMut::new();
    let mut copied = 0;
    // The first bytes of these characters, which JSON has within strings only.
    for place in memchr2_iter(0xC2, 0xE2, &json) {
        let (escape, length) = match json[place..] {
            [0xC2, 0x85, ..] => (b"\\u0085", 2),
            [0xE2, 0x80, 0xA8, ..] => (b"\\u2028", 3),
            [0xE2, 0x80, 0xA9, ..] => (b"\\u2029", 3),
            _ => continue,
        };
        escaped.put_slice(&json[copied..place]);
        escaped.put_slice(escape);
        copied = place + length;
    }
    if copied == 0 {
        return json;
    }
    escaped.put_slice(&json[copied..]);
    escaped.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_the_line_separators_of_unicode() {
        for text in [
            "a\u{85}b\u{2028}\u{2029}c \u{a0}“€” \u{c2}\u{2028}",
            "no separator: \u{a0}“€” \u{c2}",
        ] {
            let json = serde_json::to_vec(text).unwrap();
            let line = on_one_line(json.into());
            let line = std::str::from_utf8(&line).unwrap();
            assert!(!line.contains(['\u{85}', '\u{2028}', '\u{2029}']), "{line}");
            assert_eq!(serde_json::from_str::<String>(line).unwrap(), text);
        }
    }
}
