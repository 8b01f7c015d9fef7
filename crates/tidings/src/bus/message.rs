//! The messages between nodes.
//!
//! Byte 0 is the version, byte 1 the kind, then comes the id of the node that sends it. For hints, pairs of an
//! owner and a rev follow, 24 bytes each.

use bytes::{BufMut as _, Bytes, BytesMut};
use tidings_event::{OwnerId, Rev};
use uuid::Uuid;

const VERSION: u8 = 1;

/// The kind of a message with hints about feeds.
const FEEDS: u8 = 1;

const HEADER_BYTES: usize = 2 + 16;
const HINT_BYTES: usize = 16 + 8;

/// The most hints in a message.
const MAX_HINTS: usize = 1_024;

/// The size of the largest message.
pub(super) const MAX_BYTES: usize = HEADER_BYTES + MAX_HINTS * HINT_BYTES;

/// Names a node, so that it can tell its own messages. A node has a new one each time it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(Uuid);

/// The owner of a feed, and a rev that it has reached.
pub(super) type Hint = (OwnerId, Rev);

/// The message is not one of this version of Tidings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unknown;

/// A message with hints.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hints {
    pub(super) sender: NodeId,
    pub(super) heads: Vec<Hint>,
}

impl NodeId {
    pub(crate) fn mint() -> Self {
        Self(Uuid::new_v4())
    }
}

/// How many hints fit in a message of `bytes`; at least one.
pub(super) const fn hints_in(bytes: usize) -> usize {
    let hints = bytes.saturating_sub(HEADER_BYTES) / HINT_BYTES;
    match hints {
        0 => 1,
        1..MAX_HINTS => hints,
        _ => MAX_HINTS,
    }
}

pub(super) fn encode(sender: NodeId, heads: &[Hint]) -> Bytes {
    let mut message = BytesMut::with_capacity(HEADER_BYTES + heads.len() * HINT_BYTES);
    message.put_u8(VERSION);
    message.put_u8(FEEDS);
    message.put_slice(sender.0.as_bytes());
    for (owner, head) in heads {
        message.put_slice(owner.as_uuid().as_bytes());
        message.put_u64(head.get());
    }
    message.freeze()
}

pub(super) fn decode(message: &[u8]) -> Result<Hints, Unknown> {
    if message.len() > MAX_BYTES {
        return Err(Unknown);
    }
    let ([VERSION, FEEDS], rest) = message.split_first_chunk().ok_or(Unknown)? else {
        return Err(Unknown);
    };
    let (sender, rest) = rest.split_first_chunk().ok_or(Unknown)?;
    let (hints, []) = rest.as_chunks::<HINT_BYTES>() else {
        return Err(Unknown);
    };
    let hint = |hint: &[u8; HINT_BYTES]| {
        let (owner, head) = hint.split_first_chunk()?;
        let head = head.first_chunk()?;
        let owner = OwnerId::from_uuid(Uuid::from_bytes(*owner));
        Some((owner, Rev::new(u64::from_be_bytes(*head))))
    };
    Ok(Hints {
        sender: NodeId(Uuid::from_bytes(*sender)),
        heads: hints.iter().filter_map(hint).collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hints(number: usize) -> Vec<Hint> {
        (0..number)
            .map(|one| (OwnerId::mint(), Rev::new(one as u64 * 7)))
            .collect()
    }

    #[test]
    fn reads_what_it_writes() {
        for number in [1, 2, MAX_HINTS] {
            let (sender, heads) = (NodeId::mint(), hints(number));
            let message = encode(sender, &heads);
            assert_eq!(decode(&message), Ok(Hints { sender, heads }));
        }
    }

    #[test]
    fn fills_a_message_without_exceeding_its_size() {
        for bytes in [100, 5_000, MAX_BYTES, usize::MAX] {
            let heads = hints(hints_in(bytes));
            assert!(encode(NodeId::mint(), &heads).len() <= bytes);
        }
    }

    #[test]
    fn rejects_other_messages() {
        let message = encode(NodeId::mint(), &hints(2));
        for changed in [0, 1] {
            let mut other = message.to_vec();
            other[changed] += 1;
            assert_eq!(decode(&other), Err(Unknown));
        }
        assert_eq!(decode(&message[..message.len() - 1]), Err(Unknown));
        let huge = encode(NodeId::mint(), &hints(MAX_HINTS + 1));
        assert_eq!(decode(&huge), Err(Unknown));
    }

    proptest! {
        #[test]
        fn any_bytes_are_rejected_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Hints { sender, heads }) = decode(&bytes) {
                prop_assert_eq!(&encode(sender, &heads)[..], &bytes[..]);
            }
        }
    }
}
