//! Finds the events that retention does not keep.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{OptionalExtension as _, params};
use tidings_event::{EventId, OwnerId, Rev, Severity, SortKey, Status, Timestamp};

use super::created_events::{CreatedEvents, EventSelect};
use super::lists::List;
use super::read_connection::ReadConnection;
use super::row::uuid;
use super::viewer::SeenFeed;
use crate::retention::Retention;
use crate::store::kind::Kind;
use crate::store::moment::nanoseconds;
use crate::store::{ExpiredPage, FeedPosition};

/// The most feeds that are scanned at a time.
const FEEDS_AT_A_TIME: u32 = 256;

/// The most events that are found at a time.
const EVENTS_AT_A_TIME: u32 = 4096;

impl ReadConnection {
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
                Some((feed, _)) if feeds.len() == FEEDS_AT_A_TIME as usize => {
                    Some(FeedPosition::after(number(feed.key)))
                }
                _ => None,
            },
        };
        let mut room = EVENTS_AT_A_TIME;
        for (feed, owner) in feeds {
            let ids = self.expired_of(&feed, owner, retention, now, room)?;
            room = room.saturating_sub(length(&ids));
            if !ids.is_empty() {
                page.events.push((owner, ids));
            }
            if room == 0 {
                // This feed can have more.
                page.next = Some(FeedPosition::before(number(feed.key)));
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
    ) -> rusqlite::Result<Vec<(SeenFeed, OwnerId)>> {
        let system = self.system.as_uuid().as_bytes();
        let limits_users = retention.owner_events.is_some()
            || Severity::ALL
                .into_iter()
                .any(|severity| retention.age_of(severity).is_some());
        let sql = format!(
            "SELECT {}, owner FROM feed \
             WHERE key > ?1 AND (?2 OR owner = ?3) ORDER BY key LIMIT ?4",
            SeenFeed::COLUMNS
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(
            params![key(from), limits_users, system, FEEDS_AT_A_TIME],
            |row| {
                let owner = OwnerId::from(uuid(row, SeenFeed::COLUMN_COUNT)?);
                Ok((SeenFeed::read(row)?, owner))
            },
        )?;
        rows.collect()
    }

    /// The events of one feed that are too old, and then the oldest of those beyond the limit. An event that
    /// is too old does not count against the limit. At most `room`.
    fn expired_of(
        &self,
        feed: &SeenFeed,
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
        feed: &SeenFeed,
        kept: u64,
        room: u32,
        ids: &mut Vec<EventId>,
    ) -> rusqlite::Result<()> {
        let too_old: HashSet<EventId> = ids.iter().copied().collect();
        let left = feed.counts.total().saturating_sub(too_old.len() as u64);
        let excess = usize::try_from(left.saturating_sub(kept)).unwrap_or(usize::MAX);
        let excess = excess.min((room as usize).saturating_sub(ids.len()));
        if excess == 0 {
            return Ok(());
        }
        let events = CreatedEvents {
            feed: feed.key,
            newest: &feed.newest()?,
            after: Rev::ZERO,
            up_to: feed.bounds.head,
        };
        let reading = EventSelect {
            columns: "event.id",
            joins: "",
            conditions: "",
            values: &[],
        };
        let end = ids.len() + excess;
        events.read(&self.connection, reading, |row| {
            let id = EventId::from(uuid(row, 0)?);
            if !too_old.contains(&id) {
                ids.push(id);
            }
            Ok(ids.len() < end)
        })
    }

    /// Adds at most `room` events that are older than retention keeps their severity.
    fn too_old(
        &self,
        feed: &SeenFeed,
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
                .query_row([feed.key], |row| row.get::<_, i64>(0))
                .optional()
        };
        let (created, misdated) = (
            oldest(&format!(
                "SELECT at FROM listed WHERE feed = ?1 AND list = {} ORDER BY at LIMIT 1",
                List::CREATED_AT.number()
            ))?,
            oldest(
                "SELECT aged_from FROM misdated INDEXED BY misdated_by_age WHERE feed = ?1 \
                 ORDER BY aged_from LIMIT 1",
            )?,
        );
        let newest = feed.newest()?;
        let newest_created = newest.iter().map(|event| event.created_at);
        let oldest = newest_created.chain(created).chain(misdated).min();
        if oldest.is_none_or(|oldest| oldest >= nanoseconds(before(now, shortest))) {
            return Ok(());
        }
        let mut too_old = self.connection.prepare_cached(
            "SELECT id FROM listed WHERE feed = ?1 AND list = ?2 AND at < ?3 \
             AND NOT EXISTS (SELECT 1 FROM misdated \
             WHERE misdated.id = listed.id AND misdated.feed = listed.feed) \
             ORDER BY at, id LIMIT ?4",
        )?;
        let mut is_misdated = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM misdated WHERE id = ?1 AND feed = ?2)")?;
        let mut misdated = self.connection.prepare_cached(
            "SELECT misdated.id FROM misdated INDEXED BY misdated_by_age \
             CROSS JOIN event ON event.id = misdated.id AND event.feed = misdated.feed \
             WHERE misdated.feed = ?1 AND misdated.aged_from < ?2 AND event.severity = ?3 \
             ORDER BY misdated.aged_from LIMIT ?4",
        )?;
        let end = ids.len() + room as usize;
        let left = |ids: &[EventId]| u32::try_from(end - ids.len()).unwrap_or(u32::MAX);
        for (severity, age) in Severity::ALL.into_iter().zip(ages) {
            let Some(age) = age else { continue };
            let before = nanoseconds(before(now, age));
            for status in [Status::Unread, Status::Read] {
                let kind = Kind::of(severity, status);
                let list = List::of_kind(kind, SortKey::CreatedAt).number();
                let rows = too_old
                    .query_map(params![feed.key, list, before, left(ids)], |row| {
                        Ok(EventId::from(uuid(row, 0)?))
                    })?;
                for id in rows {
                    ids.push(id?);
                }
                let newest = newest.iter().filter(|event| event.kind == kind);
                for event in newest.filter(|event| event.created_at < before) {
                    let key = (event.id.as_uuid().as_bytes(), feed.key);
                    if ids.len() < end && !is_misdated.query_row(key, |row| row.get(0))? {
                        ids.push(event.id);
                    }
                }
            }
            let rows = misdated.query_map(
                params![feed.key, before, severity.as_str(), left(ids)],
                |row| Ok(EventId::from(uuid(row, 0)?)),
            )?;
            for id in rows {
                ids.push(id?);
            }
        }
        Ok(())
    }
}

/// The number of a feed in a position: its key, which is positive.
fn number(key: i64) -> u128 {
    u128::from(key.unsigned_abs())
}

/// The key of the feed before a position.
fn key(position: FeedPosition) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

fn length(ids: &[EventId]) -> u32 {
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}

/// The moment `age` before `now`, or the beginning of the calendar.
fn before(now: Timestamp, age: Duration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}
