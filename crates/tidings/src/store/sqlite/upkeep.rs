//! Finds the events that retention does not keep, and removes overlays of deleted system events.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};
use tidings_event::{EventId, OwnerId, Severity, Status, Timestamp};

use super::counts::number;
use super::feeds::Feeds;
use super::read_pool::ReadConnection;
use super::row::{moment, nanoseconds, uuid, word};
use crate::retention::Retention;
use crate::store::{ExpiredPage, FeedPosition};

/// The most feeds that are scanned at a time.
const FEEDS_AT_A_TIME: u32 = 256;

/// The most events that are found at a time.
const EVENTS_AT_A_TIME: u32 = 4096;

/// The most overlays that are removed at a time: a commit of a few milliseconds.
const OVERLAYS_AT_A_TIME: u32 = 512;

impl ReadConnection {
    /// The trusted time of the store's last use.
    pub(crate) fn last_use(&self) -> rusqlite::Result<Option<Timestamp>> {
        self.connection
            .prepare_cached("SELECT at FROM last_use")?
            .query_row([], |row| moment(row, 0))
            .optional()
    }

    /// A piece of the events that `retention` does not keep.
    pub(crate) fn expired(
        &self,
        retention: &Retention,
        now: Timestamp,
        from: FeedPosition,
    ) -> rusqlite::Result<ExpiredPage> {
        let transaction = self.connection.unchecked_transaction()?;
        let feeds = self.feeds_to_look_at(retention, from)?;
        let mut page = ExpiredPage {
            events: Vec::new(),
            next: match feeds.last() {
                Some((key, _)) if feeds.len() == FEEDS_AT_A_TIME as usize => {
                    Some(FeedPosition(*key))
                }
                _ => None,
            },
        };
        let mut room = EVENTS_AT_A_TIME;
        for (feed, owner) in feeds {
            let ids = self.expired_of(feed, owner, retention, now, room)?;
            room = room.saturating_sub(length(&ids));
            if !ids.is_empty() {
                page.events.push((owner, ids));
            }
            if room == 0 {
                // This feed can have more.
                page.next = Some(FeedPosition(feed - 1));
                break;
            }
        }
        transaction.finish()?;
        Ok(page)
    }

    /// The next feeds to scan: only the system's, unless users' events are limited, too.
    fn feeds_to_look_at(
        &self,
        retention: &Retention,
        from: FeedPosition,
    ) -> rusqlite::Result<Vec<(i64, OwnerId)>> {
        let system = self.system.as_uuid().as_bytes();
        let limits_users = retention.owner_events.is_some()
            || Severity::ALL
                .into_iter()
                .any(|severity| retention.age_of(severity).is_some());
        let mut statement = self.connection.prepare_cached(
            "SELECT key, owner FROM feed \
             WHERE key > ?1 AND (?2 OR owner = ?3) ORDER BY key LIMIT ?4",
        )?;
        let rows = statement.query_map(
            params![from.0, limits_users, system, FEEDS_AT_A_TIME],
            |row| Ok((row.get(0)?, OwnerId::from(uuid(row, 1)?))),
        )?;
        rows.collect()
    }

    /// The events of one feed that are too old, and then the oldest of those beyond the limit. An event that
    /// is too old does not count against the limit. At most `room`.
    fn expired_of(
        &self,
        feed: i64,
        owner: OwnerId,
        retention: &Retention,
        now: Timestamp,
        room: u32,
    ) -> rusqlite::Result<Vec<EventId>> {
        let kept = match owner == OwnerId::from(self.system) {
            true => Some(retention.system_events),
            false => retention.owner_events,
        };
        let mut ids = Vec::new();
        self.too_old(feed, retention, now, room, &mut ids)?;
        if let Some(kept) = kept {
            self.too_many(feed, kept, room, &mut ids)?;
        }
        Ok(ids)
    }

    /// The events that were stored before the last `kept`. Their times do not matter: a publisher's clock
    /// must not decide which events of others are deleted.
    fn too_many(
        &self,
        feed: i64,
        kept: u64,
        room: u32,
        ids: &mut Vec<EventId>,
    ) -> rusqlite::Result<()> {
        let there = self
            .connection
            .prepare_cached("SELECT coalesce(sum(number), 0) FROM counter WHERE feed = ?1")?
            .query_row([feed], |row| number(row, 0))?;
        let too_old: HashSet<EventId> = ids.iter().copied().collect();
        let left = there.saturating_sub(too_old.len() as u64);
        let excess = usize::try_from(left.saturating_sub(kept)).unwrap_or(usize::MAX);
        let excess = excess.min((room as usize).saturating_sub(ids.len()));
        if excess == 0 {
            return Ok(());
        }
        let mut oldest = self.connection.prepare_cached(
            "SELECT id FROM event INDEXED BY event_by_created_rev WHERE feed = ?1 \
             ORDER BY created_rev LIMIT ?2",
        )?;
        let most = u32::try_from(excess + too_old.len()).unwrap_or(u32::MAX);
        let rows = oldest.query_map(params![feed, most], |row| Ok(EventId::from(uuid(row, 0)?)))?;
        let end = ids.len() + excess;
        for id in rows {
            let id = id?;
            if ids.len() < end && !too_old.contains(&id) {
                ids.push(id);
            }
        }
        Ok(())
    }

    /// Adds at most `room` events that are older than retention keeps their severity.
    fn too_old(
        &self,
        feed: i64,
        retention: &Retention,
        now: Timestamp,
        room: u32,
        ids: &mut Vec<EventId>,
    ) -> rusqlite::Result<()> {
        let ages = Severity::ALL.map(|severity| retention.age_of(severity));
        let Some(shortest) = ages.into_iter().flatten().min() else {
            return Ok(());
        };
        // Most feeds have no old event, and then this is the only read.
        let oldest = |sql: &str| {
            self.connection
                .prepare_cached(sql)?
                .query_row([feed], |row| row.get::<_, i64>(0))
                .optional()
        };
        let (created, misdated) = (
            oldest(
                "SELECT created_at FROM event INDEXED BY event_by_created_at WHERE feed = ?1 \
                 ORDER BY created_at LIMIT 1",
            )?,
            oldest(
                "SELECT aged_from FROM misdated INDEXED BY misdated_by_age WHERE feed = ?1 \
                 ORDER BY aged_from LIMIT 1",
            )?,
        );
        let oldest = created.into_iter().chain(misdated).min();
        if oldest.is_none_or(|oldest| oldest >= nanoseconds(before(now, shortest))) {
            return Ok(());
        }
        let mut too_old = self.connection.prepare_cached(
            "SELECT id FROM event INDEXED BY event_by_kind \
             WHERE feed = ?1 AND status = ?2 AND severity = ?3 AND created_at < ?4 \
             AND NOT EXISTS (SELECT 1 FROM misdated \
             WHERE misdated.id = event.id AND misdated.feed = event.feed) \
             ORDER BY created_at, id LIMIT ?5",
        )?;
        let mut misdated = self.connection.prepare_cached(
            "SELECT misdated.id FROM misdated INDEXED BY misdated_by_age \
             CROSS JOIN event ON event.id = misdated.id AND event.feed = misdated.feed \
             WHERE misdated.feed = ?1 AND misdated.aged_from < ?2 AND event.severity = ?3 \
             ORDER BY misdated.aged_from LIMIT ?4",
        )?;
        let end = ids.len() + room as usize;
        for (severity, age) in Severity::ALL.into_iter().zip(ages) {
            let Some(age) = age else { continue };
            let before = nanoseconds(before(now, age));
            for status in [Status::Unread, Status::Read] {
                let left = u32::try_from(end - ids.len()).unwrap_or(u32::MAX);
                let rows = too_old.query_map(
                    params![feed, status.as_str(), severity.as_str(), before, left],
                    |row| Ok(EventId::from(uuid(row, 0)?)),
                )?;
                for id in rows {
                    ids.push(id?);
                }
            }
            let left = u32::try_from(end - ids.len()).unwrap_or(u32::MAX);
            let rows = misdated
                .query_map(params![feed, before, severity.as_str(), left], |row| {
                    Ok(EventId::from(uuid(row, 0)?))
                })?;
            for id in rows {
                ids.push(id?);
            }
        }
        Ok(())
    }
}

fn length(ids: &[EventId]) -> u32 {
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}

/// The moment `age` before `now`, or the beginning of the calendar.
fn before(now: Timestamp, age: Duration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

/// Stores the trusted time for the next start.
pub(super) fn note_use(transaction: &Transaction<'_>, at: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO last_use (only_row, at) VALUES (1, ?1) \
             ON CONFLICT (only_row) DO UPDATE SET at = excluded.at",
        )?
        .execute([nanoseconds(at)])?;
    Ok(())
}

impl ReadConnection {
    /// Whether there are overlays of deleted system events.
    pub(crate) fn has_ended_events(&self) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM ended)")?
            .query_row([], |row| row.get(0))
    }
}

/// Removes some overlays of deleted system events, and their counts.
pub(super) fn drop_overlays(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut feeds = Feeds::default();
    let mut room = OVERLAYS_AT_A_TIME;
    while room > 0 {
        let ended = transaction
            .prepare_cached("SELECT system_rev, severity FROM ended LIMIT 1")?
            .query_row([], |row| {
                Ok((row.get(0)?, word::<Severity>(row, 1, "severity")?))
            })
            .optional()?;
        let Some((system_rev, severity)) = ended else {
            break;
        };
        let dropped = drop_overlays_of(transaction, &mut feeds, (system_rev, severity), room)?;
        if dropped < room {
            transaction
                .prepare_cached("DELETE FROM ended WHERE system_rev = ?1")?
                .execute([system_rev])?;
        }
        // An event without overlays costs something, too.
        room = room.saturating_sub(dropped.max(1));
    }
    feeds.write_back(transaction)
}

/// Removes at most `room` overlays of one event, and returns how many.
fn drop_overlays_of(
    transaction: &Transaction<'_>,
    feeds: &mut Feeds,
    (system_rev, severity): (i64, Severity),
    room: u32,
) -> rusqlite::Result<u32> {
    let mut drop_some = transaction.prepare_cached(
        "DELETE FROM overlay WHERE system_rev = ?1 AND feed IN \
         (SELECT feed FROM overlay INDEXED BY overlay_by_event WHERE system_rev = ?1 LIMIT ?2) \
         RETURNING feed, status, deleted",
    )?;
    let mut rows = drop_some.query((system_rev, room))?;
    let mut dropped = 0;
    while let Some(row) = rows.next()? {
        let status: Status = word(row, 1, "status")?;
        let deleted: bool = row.get(2)?;
        let read = !deleted && status == Status::Read;
        feeds.count_overlay(row.get(0)?, severity, -i64::from(read), -i64::from(deleted));
        dropped += 1;
    }
    Ok(dropped)
}
