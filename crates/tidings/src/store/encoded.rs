//! Events as JSON, for a response.

use tidings_event::EventId;
use tidings_event::wire::EventFields;

/// A piece ends with the event that exceeds this size, so that the sent part of a page can be freed.
const PIECE_BYTES: usize = 64 * 1024;

/// The capacity of the first piece.
const FIRST_ROOM_BYTES: usize = 16 * 1024;

/// The JSON of events, in consecutive pieces. Each event has a comma before it.
#[derive(Debug, Default)]
pub(crate) struct EncodedEvents {
    pieces: Vec<Vec<u8>>,
    bytes: usize,
    number: usize,
}

/// The events of a page that were not read yet: their keys in the store, and their ids, since another event
/// can get the key of a deleted one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(pub(crate) Vec<(i64, EventId)>);

impl EncodedEvents {
    /// Appends an event, unless there are some and it would exceed `limit` bytes. Returns whether it did.
    pub(crate) fn add(&mut self, event: &EventFields<'_>, limit: usize) -> bool {
        if self.number > 0 && self.bytes + event.json_bytes() > limit {
            return false;
        }
        if self
            .pieces
            .last()
            .is_none_or(|last| last.len() >= PIECE_BYTES)
        {
            self.end_piece();
            let room = if self.pieces.is_empty() {
                FIRST_ROOM_BYTES
            } else {
                PIECE_BYTES
            };
            self.pieces
                .push(Vec::with_capacity(room.max(event.json_bytes())));
        }
        let piece = self.pieces.last_mut().expect("a piece was pushed");
        let before = piece.len();
        piece.push(b',');
        event.write_json(piece);
        self.bytes += piece.len() - before;
        self.number += 1;
        true
    }

    fn end_piece(&mut self) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.shrink_to_fit();
        }
    }

    /// The pieces, without spare capacity.
    pub(crate) fn into_pieces(mut self) -> Vec<Vec<u8>> {
        self.end_piece();
        self.pieces
    }
}
