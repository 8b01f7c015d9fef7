//! The position of a reader, and the start of a subscription.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::id::{OwnerId, Rev};

/// The identity of a store's history. The first start and each restore from a backup begin a new epoch,
/// so that older cursors can be recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(Uuid);

impl Epoch {
    /// The epoch with this UUID, as read from a store.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Begins a new epoch.
    pub fn mint() -> Self {
        Self(Uuid::new_v4())
    }

    /// The UUID, to be written to the store.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

const TAG_LEN: usize = 8;

/// Lower-case Crockford base32, which has no letter that looks like a digit.
const TAG_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Binds a cursor to its owner and to the store's epoch.
///
/// The tag detects a cursor that is used for the wrong owner or store by mistake. It does not protect
/// against forgery: a forged cursor only selects another position in the caller's own feeds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CursorTag([u8; TAG_LEN]);

impl CursorTag {
    /// The tag of `owner`'s cursors in the epoch `epoch`: 40 bits of a SHA-256.
    pub fn derive(epoch: Epoch, owner: OwnerId) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"tidings cursor v1");
        hasher.update(epoch.as_uuid().as_bytes());
        hasher.update(owner.as_uuid().as_bytes());
        let hash = hasher.finalize();
        let mut tag = [0; TAG_LEN];
        for (letter, byte) in tag.iter_mut().zip(hash) {
            *letter = TAG_ALPHABET[usize::from(byte % 32)];
        }
        Self(tag)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a tag is made of ASCII letters and digits only")
    }
}

impl fmt::Display for CursorTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CursorTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The position of a reader: in its own feed, in the system's feed, and in which store.
///
/// The wire contract defines exactly these three parts, so the struct is exhaustive.
///
/// The text form is `"<own rev>-<system rev>-<tag>"`, for example `1042-17-k3f9q2w8`, and is the
/// `id:` of every frame of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The last change received from the reader's own feed.
    pub own: Rev,
    /// The last change received from the system's feed.
    pub system: Rev,
    /// The owner and the store to which the cursor belongs.
    pub tag: CursorTag,
}

/// A text that is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: expected the form `<own rev>-<system rev>-<tag>`")]
#[non_exhaustive]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.own, self.system, self.tag)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(CursorError);
        Ok(Self {
            own: parse_rev(next()?)?,
            system: parse_rev(next()?)?,
            tag: parse_tag(next()?)?,
        })
    }
}

/// Digits only, as [`Rev`] prints them: `u64::from_str` would also take a sign and leading zeros.
fn parse_rev(text: &str) -> Result<Rev, CursorError> {
    let canonical = text == "0" || (!text.starts_with('0') && !text.starts_with('+'));
    // Stores count in signed 64-bit integers.
    match text.parse::<i64>() {
        Ok(number) if canonical => u64::try_from(number).map(Rev::new).map_err(|_| CursorError),
        _ => Err(CursorError),
    }
}

fn parse_tag(text: &str) -> Result<CursorTag, CursorError> {
    let tag: [u8; TAG_LEN] = text.as_bytes().try_into().map_err(|_| CursorError)?;
    if tag.iter().all(|letter| TAG_ALPHABET.contains(letter)) {
        Ok(CursorTag(tag))
    } else {
        Err(CursorError)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The start of a subscription.
///
/// The engine must implement every start, so the enum is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Only changes from now on.
    Now,
    /// The oldest change that is kept.
    Earliest,
    /// The first change after this cursor.
    After(Cursor),
    /// The reader sent a text that is not a cursor. The stream then begins with a `reset`, because an
    /// error status would end a browser's `EventSource` permanently.
    Malformed,
}

impl FromStr for Start {
    type Err = Infallible;

    /// Reads `Last-Event-ID` or `lastEventId`: a cursor, `earliest`, or empty for "from now".
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "" => Self::Now,
            "earliest" => Self::Earliest,
            cursor => cursor.parse().map_or(Self::Malformed, Self::After),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag() -> CursorTag {
        CursorTag::derive(
            Epoch::from_uuid(Uuid::from_u128(1)),
            OwnerId::from(Uuid::from_u128(2)),
        )
    }

    #[test]
    fn derives_the_tag_from_owner_and_epoch() {
        let epoch = Epoch::from_uuid(Uuid::from_u128(1));
        let other_owner = CursorTag::derive(epoch, OwnerId::from(Uuid::from_u128(3)));
        let other_epoch = CursorTag::derive(
            Epoch::from_uuid(Uuid::from_u128(9)),
            OwnerId::from(Uuid::from_u128(2)),
        );
        assert_ne!(tag(), other_owner);
        assert_ne!(tag(), other_epoch);
    }

    #[test]
    fn rejects_malformed_cursors() {
        for text in [
            "",
            "1",
            "1-2",
            "1-2-",
            "1-2-short",
            "1-2-waytoolong",
            "1-2-ABCDEFGH",
            "+1-2-00000000",
            "01-2-00000000",
            "-1-2-00000000",
            "1--2-00000000",
            "9223372036854775808-0-00000000",
            " 1-2-00000000",
            "1-2-00000000 ",
            "1-2-0000\u{0}000",
            "1-2-ééé€",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parses_a_cursor_it_wrote(own in 0..=i64::MAX as u64, system in 0..=i64::MAX as u64) {
            let cursor = Cursor { own: Rev::new(own), system: Rev::new(system), tag: tag() };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn accepts_only_the_canonical_text_of_a_cursor(text in ".{0,40}") {
            if let Ok(Start::After(cursor)) = text.parse::<Start>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
