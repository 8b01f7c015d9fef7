//! The store for lists and searches: a large inbox, a small one and many others.

use tidings_event::OwnerId;
use uuid::Uuid;

use crate::Bench;
use crate::content::LOCAL_USER;
use crate::filling::{FilledStore, Filling, Inbox};

const OTHER_OWNERS: u32 = 1_000;

/// Events of the other users, one in 20 of which has the rare word.
const OTHERS_RARE_WORD_EVERY: usize = 20;

/// How many events of the large inbox, and of the small one, have the rare word.
pub(crate) const RARE: usize = 5;

/// The filled store with its two owners.
#[derive(Debug)]
pub(crate) struct Inboxes {
    pub(crate) store: FilledStore,
    pub(crate) large: Inbox,
    pub(crate) small: Inbox,
    /// The events of the other users.
    pub(crate) others: usize,
}

impl Inboxes {
    /// Fills the store.
    pub(crate) async fn fill(bench: &Bench) -> anyhow::Result<Self> {
        let inbox = |index: u32, events: usize, rare_word_every: usize| Inbox {
            owner: owner(index),
            events,
            rare_word_every,
        };
        let large = bench.size(1_000_000, 100_000);
        let large = inbox(0, large, large / RARE);
        let small = bench.size(10_000, 4_000);
        let small = inbox(1, small, small / RARE);
        let others_each = bench.size(5_000, 200);
        let others =
            (0..OTHER_OWNERS).map(|index| inbox(index + 2, others_each, OTHERS_RARE_WORD_EVERY));
        let filling = Filling {
            inboxes: [large, small].into_iter().chain(others).collect(),
            read_percent: 50,
        };
        Ok(Self {
            store: filling.fill(bench).await?,
            large,
            small,
            others: others_each * OTHER_OWNERS as usize,
        })
    }
}

/// The owner with this number; the first is the server's local identity.
pub(crate) fn owner(index: u32) -> OwnerId {
    OwnerId::from_uuid(Uuid::from_u128(LOCAL_USER.as_u128() + u128::from(index)))
}
