//! The counts of an owner's list, from the rows of the feeds and a few counters.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::OptionalExtension as _;
use tidings_event::{Action, Category, EventTypes, OwnerId, Severity, Status, Summary};

use super::read_connection::ReadConnection;
use super::row::{number, word};
use super::type_pairs::pairs_of_system;
use super::viewer::{SeenFeed, Viewer};
use crate::store::{Side, Snapshot};

/// The counts of an owner in each feed, by status and severity.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) own: Summary,
    pub(super) system: Summary,
}

/// How many system events a user has read and kept, and how many deleted.
#[derive(Clone, Copy, Debug, Default)]
struct Overlaid {
    read: u64,
    deleted: u64,
}

impl Counts {
    pub(super) const fn of(&self, side: Side) -> &Summary {
        match side {
            Side::Own => &self.own,
            Side::System => &self.system,
        }
    }
}

impl ReadConnection {
    /// The counts of `owner` now.
    pub(crate) fn snapshot(&self, owner: OwnerId) -> rusqlite::Result<Snapshot> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let counts = self.counts(&viewer)?;
        transaction.finish()?;
        Ok(snapshot_of(&viewer, &counts))
    }

    /// The counts of both feeds.
    pub(super) fn counts(&self, viewer: &Viewer) -> rusqlite::Result<Counts> {
        let mut counts = Counts::default();
        if let Some(own) = &viewer.own {
            counts.own = own.counts.summary();
        }
        if let Some(system) = &viewer.system {
            counts.system = self.count_system(system, viewer)?;
        }
        Ok(counts)
    }

    /// System events are unread unless the viewer's overlays say otherwise.
    fn count_system(&self, system: &SeenFeed, viewer: &Viewer) -> rusqlite::Result<Summary> {
        let all = system.counts.summary();
        let mut seen = Summary::default();
        let mut overlays = self.connection.prepare_cached(
            "SELECT read, deleted FROM overlay_counter WHERE feed = ?1 AND severity = ?2",
        )?;
        let ended = self.count_ended(viewer)?;
        for (severity, there) in all.of(Status::Unread) {
            let key = (viewer.overlay_feed(), severity.as_str());
            let (read, deleted) = overlays
                .query_row(key, |row| Ok((number(row, 0)?, number(row, 1)?)))
                .optional()?
                .unwrap_or_default();
            let gone = ended.get(severity).copied().unwrap_or_default();
            // Every overlay that is subtracted was counted before.
            debug_assert!(read >= gone.read && deleted >= gone.deleted);
            let read = read.saturating_sub(gone.read);
            let deleted = deleted.saturating_sub(gone.deleted);
            debug_assert!(*there >= read + deleted);
            seen.add(Status::Read, *severity, read);
            let unread = there.saturating_sub(read).saturating_sub(deleted);
            seen.add(Status::Unread, *severity, unread);
        }
        Ok(seen)
    }

    /// The viewer's overlays of deleted system events that are still counted.
    fn count_ended(&self, viewer: &Viewer) -> rusqlite::Result<BTreeMap<Severity, Overlaid>> {
        let mut counts: BTreeMap<Severity, Overlaid> = BTreeMap::new();
        let mut ended = self.connection.prepare_cached(
            "SELECT ended.severity, overlay.status, overlay.deleted FROM ended \
             CROSS JOIN overlay ON overlay.feed = ?1 AND overlay.system_rev = ended.system_rev",
        )?;
        let mut rows = ended.query([viewer.overlay_feed()])?;
        while let Some(row) = rows.next()? {
            let count = counts.entry(word(row, 0, "severity")?).or_default();
            match (row.get(2)?, word(row, 1, "status")?) {
                (true, _) => count.deleted += 1,
                (false, Status::Read) => count.read += 1,
                (false, Status::Unread) => {}
            }
        }
        Ok(counts)
    }

    /// The categories and actions of the events that `owner` sees.
    pub(crate) fn types(&self, owner: OwnerId) -> rusqlite::Result<EventTypes> {
        let transaction = self.connection.unchecked_transaction()?;
        let viewer = self.viewer(owner)?;
        let mut types = Names::default();
        if let Some(own) = &viewer.own {
            let sql = "SELECT category, action FROM type_counter WHERE feed = ?1";
            self.add_types(sql, [own.key], &mut types)?;
            for (_, of_type) in own.newest()?.with_types() {
                keep_first(&mut types.category, &of_type.category);
                keep_first(&mut types.action, &of_type.action);
            }
        }
        if let Some(system) = &viewer.system {
            let sql = pairs_of_system();
            self.add_types(&sql, [system.key, viewer.overlay_feed()], &mut types)?;
        }
        transaction.finish()?;
        let Names { category, action } = types;
        Ok(EventTypes::new(
            category.into_iter().collect(),
            action.into_iter().collect(),
        ))
    }
}

impl ReadConnection {
    fn add_types(
        &self,
        sql: &str,
        feeds: impl rusqlite::Params,
        names: &mut Names,
    ) -> rusqlite::Result<()> {
        let mut pairs = self.connection.prepare_cached(sql)?;
        let mut rows = pairs.query(feeds)?;
        while let Some(row) = rows.next()? {
            keep_first(&mut names.category, &word(row, 0, "category")?);
            keep_first(&mut names.action, &word(row, 1, "action")?);
        }
        Ok(())
    }
}

/// The first categories and actions in their order. Their pairs are never held in memory together: a user
/// can create as many as they have events.
#[derive(Debug, Default)]
struct Names {
    category: BTreeSet<Category>,
    action: BTreeSet<Action>,
}

fn keep_first<T: Ord + Clone>(names: &mut BTreeSet<T>, name: &T) {
    if !names.contains(name) {
        names.insert(name.clone());
    }
    if names.len() > EventTypes::MAX_NAMES {
        names.pop_last();
    }
}

pub(super) fn snapshot_of(viewer: &Viewer, counts: &Counts) -> Snapshot {
    let bounds = |feed: &Option<SeenFeed>| feed.as_ref().map(|feed| feed.bounds);
    Snapshot::of(
        (bounds(&viewer.own), &counts.own),
        (bounds(&viewer.system), &counts.system),
    )
}
