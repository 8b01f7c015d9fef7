//! A change as Server-Sent Events bytes
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use memchr::memchr2_iter;
use serde::Serialize;
use tidings_event::{Cursor, Deletion, StatusChange, StreamItem};

/// The part of a frame that is the same for all its readers; only the `id:` line differs.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    name: Option<&'static str>,
    data: Bytes,
}

/// Room for what a frame has around its data: the longest `id:` line and the field names.
const ENVELOPE_BYTES: usize = 96;

impl Frame {
    /// The frame of a created event, from its JSON.
    pub(crate) const fn created(json: Bytes) -> Self {
        Self {
            name: None,
            data: json,
        }
    }

    /// The frame that shows a change of status.
    pub(crate) fn status(change: &StatusChange) -> Self {
        Self {
            name: Some(StreamItem::STATUS),
            data: json(change),
        }
    }

    /// The frame that shows a deletion.
    pub(crate) fn deleted(deletion: &Deletion) -> Self {
        Self {
            name: Some(StreamItem::DELETED),
            data: json(deletion),
        }
    }

    /// The frame of any item.
    pub(crate) fn of(item: &StreamItem) -> Self {
        Self {
            name: item.name(),
            data: item.data().into(),
        }
    }

    /// About how many bytes it takes when written; escaped line separators take a few more.
    pub(crate) fn size(&self) -> usize {
        self.data.len() + ENVELOPE_BYTES
    }

    /// Appends the whole frame as its reader gets it.
    pub(crate) fn write(&self, cursor: Cursor, out: &mut BytesMut) {
        out.reserve(self.size());
        // Writing into memory cannot fail.
        let _ = writeln!(out, "id: {cursor}");
        if let Some(name) = self.name {
            let _ = writeln!(out, "event: {name}");
        }
        out.put_slice(b"data: ");
        put_json(&self.data, out);
        out.put_slice(b"\n\n");
    }

    /// Reads the frame back as an item. `None` where its data is not what its name says, which
    /// only a fault of ours could bring about.
    pub(crate) fn read(&self, cursor: Cursor) -> Option<StreamItem> {
        let data = std::str::from_utf8(&self.data).ok()?;
        StreamItem::read(self.name.unwrap_or_default(), cursor, data).ok()?
    }
}

/// Appends JSON as one line. Control characters are escaped in it already; the line separators beyond
/// ASCII need not be, but readers that split lines as Python's `str.splitlines` does would cut the
/// field there.
fn put_json(json: &[u8], out: &mut BytesMut) {
    let mut copied = 0;
    // The first bytes of these characters. JSON has them within strings only.
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

fn json(data: &impl Serialize) -> Bytes {
    serde_json::to_vec(data)
        .expect("what a stream carries has only text keys")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_line_for_readers_that_split_at_unicode_separators() {
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
}
