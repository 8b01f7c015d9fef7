//! Frames as the bytes of a socket.

use std::io::Write as _;

use tidings::wire::{FollowedFrames, StreamFrame};
use tidings_event::{Cursor, OwnerId};

use crate::event_stream::sse;

/// How many renderings are kept while a shard serves its entries. Streams of one owner are rarely at more
/// positions than these at a time.
const KEPT: usize = 4;

/// The room of a rendering that is kept while the shard waits.
const IDLE_BYTES: usize = 16 * 1024;

/// The end of a body in chunks (RFC 9112 §7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Appends a part of a response, as one chunk if the body is in chunks.
pub(super) fn put_part(part: &[u8], chunked: bool, out: &mut Vec<u8>) {
    if chunked {
        begin_chunk(part.len(), out);
    }
    out.extend_from_slice(part);
    if chunked {
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends the end of a response.
pub(super) fn put_end(chunked: bool, out: &mut Vec<u8>) {
    if chunked {
        out.extend_from_slice(LAST_CHUNK);
    }
}

fn begin_chunk(length: usize, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{length:x}\r\n");
}

/// The changes that the streams of one owner at one position have in common, as bytes.
#[derive(Debug)]
pub(super) struct Rendering {
    key: Option<RenderingKey>,
    bytes: Vec<u8>,
    /// The end of each frame in `bytes`, the cursor after it, and the bytes of its JSON.
    frames: Vec<(usize, Cursor, usize)>,
    end: Cursor,
}

/// A stream that finds the same changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RenderingKey {
    pub(super) owner: OwnerId,
    pub(super) cursor: Cursor,
    pub(super) chunked: bool,
}

/// How much of a rendering has been written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Progress<'a> {
    /// The rest of the frame that was written in part.
    pub(super) rest: &'a [u8],
    /// The cursor after the frames that were written, the one in part included.
    pub(super) cursor: Option<Cursor>,
    /// The frames up to it, and the bytes of their JSON.
    pub(super) frames: usize,
    pub(super) json_bytes: usize,
}

impl Rendering {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the first `written` bytes have brought the subscriber. A frame that was begun must be completed;
    /// what comes after it is found again.
    pub(super) fn progress(&self, written: usize) -> Progress<'_> {
        let begun = if written == 0 {
            0
        } else if written >= self.bytes.len() {
            self.frames.len()
        } else {
            self.frames.partition_point(|(end, ..)| *end < written) + 1
        };
        let frames = &self.frames[..begun];
        let end = frames.last().map_or(0, |(end, ..)| *end);
        Progress {
            rest: &self.bytes[written.min(end)..end],
            cursor: if begun == self.frames.len() {
                Some(self.end)
            } else {
                frames.last().map(|(_, cursor, _)| *cursor)
            },
            frames: begun,
            json_bytes: frames.iter().map(|(.., json)| json).sum(),
        }
    }

    fn fill(&mut self, key: Option<RenderingKey>, chunked: bool, changes: &FollowedFrames) {
        // Nobody finds a part of it.
        self.key = None;
        self.bytes.clear();
        self.frames.clear();
        self.end = changes.end;
        let mut head = String::new();
        for frame in &changes.frames {
            put_frame(frame, chunked, &mut head, &mut self.bytes);
            let json_bytes = frame.data_bytes();
            self.frames
                .push((self.bytes.len(), frame.cursor(), json_bytes));
        }
        self.key = key;
    }
}

fn put_frame(frame: &StreamFrame, chunked: bool, head: &mut String, out: &mut Vec<u8>) {
    head.clear();
    sse::put_head(frame.cursor(), frame.name(), head);
    if chunked {
        begin_chunk(head.len() + frame.data_bytes() + sse::END.len(), out);
    }
    out.extend_from_slice(head.as_bytes());
    for piece in frame.pieces() {
        out.extend_from_slice(piece);
    }
    out.extend_from_slice(sse::END);
    if chunked {
        out.extend_from_slice(b"\r\n");
    }
}

/// The latest renderings of a shard.
#[derive(Debug, Default)]
pub(super) struct Renderings {
    kept: Vec<Rendering>,
    /// The one that was found or made last.
    latest: usize,
    oldest: usize,
}

impl Renderings {
    /// Finds the changes of another stream that are the same, as the latest.
    pub(super) fn find(&mut self, key: RenderingKey) -> bool {
        let found = self.kept.iter().position(|one| one.key == Some(key));
        self.latest = found.unwrap_or(self.latest);
        found.is_some()
    }

    /// Renders changes in the place of the oldest. With a key other streams find them.
    pub(super) fn render(
        &mut self,
        key: Option<RenderingKey>,
        chunked: bool,
        changes: &FollowedFrames,
    ) {
        if self.kept.len() < KEPT {
            self.kept.push(Rendering {
                key: None,
                bytes: Vec::new(),
                frames: Vec::new(),
                end: changes.end,
            });
            self.latest = self.kept.len() - 1;
        } else {
            self.latest = self.oldest;
            self.oldest = (self.oldest + 1) % KEPT;
        }
        self.kept[self.latest].fill(key, chunked, changes);
    }

    /// The one that was found or made last.
    pub(super) fn latest(&self) -> Option<&Rendering> {
        self.kept.get(self.latest)
    }

    /// Gives back the room of large renderings.
    pub(super) fn rest(&mut self) {
        self.kept.retain(|one| one.bytes.capacity() <= IDLE_BYTES);
        self.oldest = 0;
    }
}

#[cfg(test)]
mod tests {
    use tidings::wire::{self, Follower, Step};
    use tidings::{Event, Severity, Start, Tidings};

    use super::*;

    async fn changes(follower: &mut Follower) -> FollowedFrames {
        loop {
            match follower.step() {
                Step::Notice(_) => {}
                Step::Frames(changes) => return changes,
                Step::Read(read) => follower.take_read(read.run().await).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_write_in_part_leaves_the_rest_of_one_frame() {
        let data_dir = tempfile::tempdir().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let engine = engine.unwrap();
        let owner = OwnerId::mint();
        let wire = wire::Engine::of(&engine);
        let mut follower = wire.follow(owner, Start::Earliest).await.unwrap();
        for text in ["a", "bb", "ccc"] {
            let event = Event::builder()
                .for_user(owner)
                .acted_upon(uuid::Uuid::now_v7())
                .with_category("test")
                .with_action("render")
                .with_severity(Severity::Success)
                .with_description(text)
                .build();
            engine.publish(event.unwrap()).await.unwrap();
        }
        let changes = changes(&mut follower).await;
        assert_eq!(changes.frames.len(), 3);
        for chunked in [false, true] {
            let key = RenderingKey {
                owner,
                cursor: follower.cursor(),
                chunked,
            };
            let mut renderings = Renderings::default();
            assert!(!renderings.find(key));
            renderings.render(Some(key), chunked, &changes);
            assert!(renderings.find(key));
            let rendering = renderings.latest().unwrap();
            let bytes = rendering.bytes();
            assert_eq!(rendering.progress(0).cursor, None);
            for written in 1..=bytes.len() {
                let progress = rendering.progress(written);
                let sent = [&bytes[..written], progress.rest].concat();
                let frames = &changes.frames[..progress.frames];
                // All begun frames, and nothing of the next.
                let last = frames.last().unwrap();
                assert_eq!(progress.cursor, Some(last.cursor()));
                assert!(sent.ends_with(if chunked { b"\n\n\r\n" } else { b"\n\n" }));
                let text = String::from_utf8(sent).unwrap();
                assert_eq!(text.matches("data: ").count(), progress.frames);
                let json: usize = frames.iter().map(|frame| frame.data().len()).sum();
                assert_eq!(progress.json_bytes, json);
            }
        }
        engine.close().await;
    }

    #[test]
    fn parts_and_the_end_are_chunks_if_the_body_is() {
        let mut out = Vec::new();
        put_part(b": keepalive\n", true, &mut out);
        put_end(true, &mut out);
        assert_eq!(out, b"c\r\n: keepalive\n\r\n0\r\n\r\n");
        out.clear();
        put_part(b"retry: 1\n", false, &mut out);
        put_end(false, &mut out);
        assert_eq!(out, b"retry: 1\n");
    }
}
