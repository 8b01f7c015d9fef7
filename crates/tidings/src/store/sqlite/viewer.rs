//! The feeds that a caller sees, each with its row as one read found it.

use rusqlite::{OptionalExtension as _, Row};
use tidings_event::{OwnerId, Rev};

use super::counts_blob;
use super::newest::Newest;
use super::read_connection::ReadConnection;
use super::row::rev;
use crate::store::kind::KindCounts;
use crate::store::{FeedBounds, Side};

/// The feeds that a caller sees.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    /// The caller's own feed. `None` if it does not exist yet, and for the system.
    pub(super) own: Option<SeenFeed>,
    /// The system's feed. `None` if it does not exist yet. All its events are listed.
    pub(super) system: Option<SeenFeed>,
}

/// The row of a feed.
#[derive(Clone, Debug)]
pub(super) struct SeenFeed {
    pub(super) key: i64,
    pub(super) bounds: FeedBounds,
    /// How far the search index goes.
    pub(super) searched_rev: Rev,
    /// The events that were created up to this rev are in the lists, the others are the newest.
    pub(super) listed_rev: Rev,
    pub(super) counts: KindCounts,
    /// As they are stored, since most reads do not need them.
    newest: Vec<u8>,
}

/// The key of no feed.
const NO_FEED: i64 = -1;

impl Viewer {
    /// The key of the feed that holds this viewer's overlays.
    pub(super) fn overlay_feed(&self) -> i64 {
        self.own.as_ref().map_or(NO_FEED, |feed| feed.key)
    }

    /// The key of the system's feed, for joining overlays.
    pub(super) fn system_feed(&self) -> i64 {
        self.system.as_ref().map_or(NO_FEED, |feed| feed.key)
    }

    pub(super) const fn feed(&self, side: Side) -> Option<&SeenFeed> {
        match side {
            Side::Own => self.own.as_ref(),
            Side::System => self.system.as_ref(),
        }
    }
}

impl SeenFeed {
    /// The columns that [`Self::read`] reads, in its order.
    pub(super) const COLUMNS: &str = "key, head, floor, searched_rev, listed_rev, counts, newest";

    /// How many these are. Others can follow them.
    pub(super) const COLUMN_COUNT: usize = 7;

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            bounds: FeedBounds {
                head: rev(row, 1)?,
                floor: rev(row, 2)?,
            },
            searched_rev: rev(row, 3)?,
            listed_rev: rev(row, 4)?,
            counts: counts_blob::read(row, 5)?,
            newest: row.get(6)?,
        })
    }

    /// The events that are in no list yet.
    pub(super) fn newest(&self) -> rusqlite::Result<Newest> {
        Newest::from_blob(&self.newest, 6)
    }
}

impl ReadConnection {
    pub(super) fn viewer(&self, owner: OwnerId) -> rusqlite::Result<Viewer> {
        let system = OwnerId::from(self.system);
        Ok(Viewer {
            own: match owner == system {
                true => None,
                false => self.feed(owner)?,
            },
            system: self.feed(system)?,
        })
    }

    /// The heads of the feeds that exist.
    pub(super) fn heads(&self, owners: &[OwnerId]) -> rusqlite::Result<Vec<(OwnerId, Rev)>> {
        let mut heads = Vec::with_capacity(owners.len());
        let sql = "SELECT head FROM feed WHERE owner = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        for owner in owners {
            let key = [owner.as_uuid().as_bytes()];
            let head = statement.query_row(key, |row| rev(row, 0)).optional()?;
            heads.extend(head.map(|head| (*owner, head)));
        }
        Ok(heads)
    }

    /// The feed of `owner`, if it has one.
    fn feed(&self, owner: OwnerId) -> rusqlite::Result<Option<SeenFeed>> {
        let sql = format!("SELECT {} FROM feed WHERE owner = ?1", SeenFeed::COLUMNS);
        self.connection
            .prepare_cached(&sql)?
            .query_row([owner.as_uuid().as_bytes()], SeenFeed::read)
            .optional()
    }
}
