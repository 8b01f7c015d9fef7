//! A change as Server-Sent Events bytes
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
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

    /// The most bytes it takes when written.
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
        // JSON as serde_json writes it has no line break, which would end the field.
        out.put_slice(&self.data);
        out.put_slice(b"\n\n");
    }

    /// Reads the frame back as an item. `None` where its data is not what its name says, which
    /// only a fault of ours could bring about.
    pub(crate) fn read(&self, cursor: Cursor) -> Option<StreamItem> {
        let data = std::str::from_utf8(&self.data).ok()?;
        StreamItem::read(self.name.unwrap_or_default(), cursor, data).ok()?
    }
}

fn json(data: &impl Serialize) -> Bytes {
    serde_json::to_vec(data)
        .expect("what a stream carries has only text keys")
        .into()
}
