//! A digest of the rows of each feed.

use std::collections::VecDeque;

use uuid::Uuid;

use super::exclusive_store::ExclusiveStore;
use crate::store::StoreError;
use crate::store::records::{Part, Record, RecordDigest, RecordPosition};

/// How many rows of a kind a feed has, and their digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FeedDigest {
    pub(super) owner: Uuid,
    rows: u64,
    digest: [u8; 32],
}

/// Reads one part of a store, feed by feed.
#[derive(Debug)]
pub(super) struct FeedDigests {
    part: Part,
    /// The last row that was read.
    position: RecordPosition,
    page: VecDeque<Record>,
    is_at_end: bool,
}

impl FeedDigests {
    pub(super) const fn of(part: Part) -> Self {
        Self {
            part,
            position: RecordPosition::BEGINNING,
            page: VecDeque::new(),
            is_at_end: false,
        }
    }

    /// The next feed that has rows of this kind.
    pub(super) async fn next(
        &mut self,
        side: &mut ExclusiveStore,
    ) -> Result<Option<FeedDigest>, StoreError> {
        let (mut owner, mut rows, mut digest) = (None, 0, RecordDigest::default());
        loop {
            if self.page.is_empty() && !self.is_at_end {
                self.page = side.page(self.part, self.position).await?.into();
                self.is_at_end = self.page.is_empty();
                self.position = self.page.back().map_or(self.position, Record::position);
            }
            let is_of_feed = |record: &mut Record| {
                let of = record.position().owner;
                *owner.get_or_insert(of) == of
            };
            let Some(record) = self.page.pop_front_if(is_of_feed) else {
                break;
            };
            digest.add(&record);
            rows += 1;
        }
        Ok(owner.map(|owner| FeedDigest {
            owner,
            rows,
            digest: digest.finish(),
        }))
    }
}
