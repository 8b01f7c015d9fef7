//! A creation or change as its subscribers get it: a name and JSON, encoded once and shared by all of them.

use bytes::{BufMut as _, Bytes, BytesMut};
use memchr::memchr2_iter;
use serde::Serialize;
use tidings_event::{CountDelta, Cursor, Deletion, StatusChange, StreamItem};

/// The part of a frame that is the same for all subscribers. Clones share the JSON.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    name: Option<&'static str>,
    data: Bytes,
}

/// The memory that a frame takes beside its JSON: its entry in a window, and the lines that a server writes
/// around the JSON.
const ENVELOPE_BYTES: usize = 96;

impl Frame {
    /// The frame of a created event, from its JSON. Only this JSON has texts.
    pub(crate) fn created(json: Bytes) -> Self {
        Self {
            name: None,
            data: on_one_line(json),
        }
    }

    /// The frame that shows new content of an event, from its JSON.
    pub(crate) fn updated(event: &Bytes, counts: Option<&CountDelta>) -> Self {
        let mut data = Vec::with_capacity(event.len() + ENVELOPE_BYTES);
        data.extend_from_slice(b"{\"event\":");
        data.extend_from_slice(event);
        if let Some(counts) = counts {
            // Its fields follow those of the change.
            data.push(b',');
            data.extend_from_slice(&json(counts)[1..]);
        } else {
            data.push(b'}');
        }
        Self {
            name: Some(StreamItem::UPDATED),
            data: on_one_line(data.into()),
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

    /// How many bytes it counts against the bounds of windows and chunks.
    pub(crate) fn size(&self) -> usize {
        self.data.len() + ENVELOPE_BYTES
    }
}

/// One frame of a stream, for a program that sends it on.
///
/// A server writes it as a Server-Sent Event: the cursor as `id`, the name as `event` and the JSON as
/// `data`. The JSON is shared by all subscribers of the feed.
#[derive(Clone, Debug)]
pub struct StreamFrame {
    cursor: Cursor,
    frame: Frame,
}

impl StreamFrame {
    pub(crate) const fn new(cursor: Cursor, frame: Frame) -> Self {
        Self { cursor, frame }
    }

    /// The cursor after this frame.
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The name of the frame, as [`StreamItem::name`] gives it; `None` for a created event.
    pub const fn name(&self) -> Option<&'static str> {
        self.frame.name
    }

    /// The JSON of the frame, as [`StreamItem::data`] gives it, on one line also for clients that split
    /// lines at the separators of Unicode, as Python's `str.splitlines` does: these are escaped.
    pub const fn data(&self) -> &Bytes {
        &self.frame.data
    }

    /// Reads the frame back as an item. `None` if its JSON does not fit its name, which only a fault of
    /// the engine can cause.
    pub(crate) fn item(&self) -> Option<StreamItem> {
        let data = std::str::from_utf8(&self.frame.data).ok()?;
        StreamItem::read(self.frame.name.unwrap_or_default(), self.cursor, data).ok()?
    }
}

/// Escapes the line separators of Unicode; JSON itself escapes the control characters of ASCII.
fn on_one_line(json: Bytes) -> Bytes {
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

fn json(data: &impl Serialize) -> Bytes {
    serde_json::to_vec(data)
        .expect("what a stream carries has only text keys")
        .into()
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
