//! A creation or change as its subscribers get it: a name and JSON, encoded once and shared by all of them.

use bytes::Bytes;
use serde::Serialize;
use tidings_event::{CountDelta, Cursor, Deletion, OwnerId, StatusChange, StreamItem};
use uuid::fmt::Hyphenated;

use crate::one_line::on_one_line;
use crate::shared_json::SharedJson;

/// The part of a frame that is the same for all subscribers. Clones share the JSON.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    name: Option<&'static str>,
    data: Bytes,
    /// If the JSON is shared by several feeds: the owner and the text after it. Then `data` is the text before it.
    owner: Option<Box<OwnerPart>>,
}

/// The end of a JSON that is the same for several owners but for the owner.
#[derive(Clone, Debug)]
struct OwnerPart {
    owner: [u8; Hyphenated::LENGTH],
    after: Bytes,
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
            owner: None,
        }
    }

    /// The frame of an event that was created in the feeds of several owners. All share the text.
    pub(crate) fn created_for(owner: OwnerId, json: &SharedJson) -> Self {
        let [before, after] = json.around_owner();
        let mut hyphenated = [0; Hyphenated::LENGTH];
        owner.as_uuid().hyphenated().encode_lower(&mut hyphenated);
        Self {
            name: None,
            data: before.clone(),
            owner: Some(Box::new(OwnerPart {
                owner: hyphenated,
                after: after.clone(),
            })),
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
            owner: None,
        }
    }

    /// The frame that shows a change of status.
    pub(crate) fn status(change: &StatusChange) -> Self {
        Self {
            name: Some(StreamItem::STATUS),
            data: json(change),
            owner: None,
        }
    }

    /// The frame that shows a deletion.
    pub(crate) fn deleted(deletion: &Deletion) -> Self {
        Self {
            name: Some(StreamItem::DELETED),
            data: json(deletion),
            owner: None,
        }
    }

    /// The frame of any item.
    pub(crate) fn of(item: &StreamItem) -> Self {
        Self {
            name: item.name(),
            data: item.data().into(),
            owner: None,
        }
    }

    /// How many bytes it counts against the bounds of windows and chunks.
    pub(crate) fn size(&self) -> usize {
        self.data_bytes() + ENVELOPE_BYTES
    }

    fn data_bytes(&self) -> usize {
        self.data.len()
            + self
                .owner
                .as_ref()
                .map_or(0, |part| part.owner.len() + part.after.len())
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
    /// A frame of an event that went to several owners shares its JSON with theirs, and this is a copy of it.
    pub fn data(&self) -> Bytes {
        match self.frame.owner {
            None => self.frame.data.clone(),
            Some(_) => self.pieces().concat().into(),
        }
    }

    /// The same JSON in pieces, without a copy.
    pub fn pieces(&self) -> [&[u8]; 3] {
        match &self.frame.owner {
            None => [&self.frame.data, &[], &[]],
            Some(part) => [&self.frame.data, &part.owner, &part.after],
        }
    }

    /// The size of the JSON.
    pub fn data_bytes(&self) -> usize {
        self.frame.data_bytes()
    }

    /// Reads the frame back as an item. `None` if its JSON does not fit its name, which only a fault of
    /// the engine can cause.
    pub(crate) fn item(&self) -> Option<StreamItem> {
        let data = self.data();
        let data = std::str::from_utf8(&data).ok()?;
        StreamItem::read(self.frame.name.unwrap_or_default(), self.cursor, data).ok()?
    }
}

fn json(data: &impl Serialize) -> Bytes {
    serde_json::to_vec(data)
        .expect("what a stream carries has only text keys")
        .into()
}
