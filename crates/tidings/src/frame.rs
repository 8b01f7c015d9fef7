//! A change as its subscribers get it: a name and JSON, encoded once and shared by all of them.

use bytes::Bytes;
use serde::Serialize;
use tidings_event::{Cursor, Deletion, StatusChange, StreamItem};

/// The part of a frame that is the same for all its readers. Clones share the JSON.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    name: Option<&'static str>,
    data: Bytes,
}

/// The memory that a frame takes beside its JSON: its entry in a window, and the lines that a server writes
/// around the JSON.
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

    /// How far the reader has got with this frame.
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The name of the frame, as [`StreamItem::name`] gives it; `None` for a created event.
    pub const fn name(&self) -> Option<&'static str> {
        self.frame.name
    }

    /// The JSON of the frame on one line, as [`StreamItem::data`] gives it.
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

fn json(data: &impl Serialize) -> Bytes {
    serde_json::to_vec(data)
        .expect("what a stream carries has only text keys")
        .into()
}
