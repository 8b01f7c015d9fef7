//! Frames as Server-Sent Events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use memchr::memchr2_iter;
use tidings::wire::StreamFrame;
use tidings_event::{Cursor, StreamItem};

/// Room for the lines around the JSON: the longest `id:` line and the field names.
const ENVELOPE_BYTES: usize = 96;

/// Writes frames one after the other into one buffer.
pub(super) fn frames(frames: &[StreamFrame]) -> Bytes {
    let sizes = frames
        .iter()
        .map(|frame| frame.data().len() + ENVELOPE_BYTES);
    let mut bytes = BytesMut::with_capacity(sizes.sum());
    for frame in frames {
        write(frame.cursor(), frame.name(), frame.data(), &mut bytes);
    }
    bytes.freeze()
}

/// Writes the frame of an item that does not come from a feed.
pub(super) fn item(item: &StreamItem) -> Bytes {
    let data = item.data();
    let mut bytes = BytesMut::with_capacity(data.len() + ENVELOPE_BYTES);
    write(item.cursor(), item.name(), data.as_bytes(), &mut bytes);
    bytes.freeze()
}

fn write(cursor: Cursor, name: Option<&str>, json: &[u8], out: &mut BytesMut) {
    // Writing into memory cannot fail.
    let _ = writeln!(out, "id: {cursor}");
    if let Some(name) = name {
        let _ = writeln!(out, "event: {name}");
    }
    out.put_slice(b"data: ");
    put_json(json, out);
    out.put_slice(b"\n\n");
}

/// Appends JSON as one line. JSON escapes the control characters of ASCII. The other line separators of
/// Unicode are escaped here, because clients that split lines as Python's `str.splitlines` does would cut
/// the field there.
fn put_json(json: &[u8], out: &mut BytesMut) {
    let mut copied = 0;
    // The first bytes of these characters, which JSON has within strings only.
    for place in memchr2_iter(0xC2, 0xE2, json) {
        let (escaped, length) = match json[place..] {
            [0xC2, 0x85, ..] => (b"\\u0085", 2),
            [0xE2, 0x80, 0xA8, ..] => (b"\\u2028", 3),
            [0xE2, 0x80, 0xA9, ..] => (b"\\u2029", 3),
            _ => continue,
        };
        out.put_slice(&json[copied..place]);
        out.put_slice(escaped);
        copied = place + length;
    }
    out.put_slice(&json[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_the_line_separators_of_unicode() {
        let text = "a\u{85}b\u{2028}\u{2029}c \u{a0}“€” \u{c2}\u{2028}";
        let json = serde_json::to_vec(text).unwrap();
        let mut written = BytesMut::new();
        put_json(&json, &mut written);
        let written = std::str::from_utf8(&written).unwrap();
        assert!(
            !written.contains(['\u{85}', '\u{2028}', '\u{2029}']),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<String>(written).unwrap(), text);
    }

    #[test]
    fn an_item_is_one_block() {
        let cursor = "2-1-00000000".parse().unwrap();
        let at = "2026-08-01T10:00:00Z".parse().unwrap();
        let bytes = item(&StreamItem::Expiring { cursor, at });
        let expected =
            "id: 2-1-00000000\nevent: expiring\ndata: {\"at\":\"2026-08-01T10:00:00Z\"}\n\n";
        assert_eq!(bytes, expected);
    }
}
