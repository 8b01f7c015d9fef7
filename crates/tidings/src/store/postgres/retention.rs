//! Finds the events that retention does not keep.

use std::collections::HashSet;
use std::time::Duration;

use tidings_event::{EventId, OwnerId, Severity, Status, SystemId, Timestamp};
use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::fault::store_error;
use super::pool::Pool;
use super::row::{severity_number, status_number};
use crate::retention::Retention;
use crate::store::moment::nanoseconds;
use crate::store::{ExpiredPage, FeedPosition, StoreError};

/// The most feeds that are scanned at a time.
const FEEDS_AT_A_TIME: usize = 256;

/// The most events that are found at a time.
const EVENTS_AT_A_TIME: usize = 4096;

/// The feeds after a position: only the system's, unless users' events are limited, too.
const FEEDS: &str = "SELECT owner, (SELECT sum(number)::bigint FROM unnest(counts) AS number) FROM feed \
     WHERE owner > $1 AND ($2 OR owner = $3) ORDER BY owner LIMIT $4";

/// The feeds of `$1` that have an event that is too old. `$2` to `$4` are the kinds; an event is too old if it is
/// before the moment of its kind.
const FEEDS_WITH_OLD: &str = "SELECT DISTINCT k.owner FROM unnest($1::uuid[]) AS k (owner) \
     CROSS JOIN unnest($2::smallint[], $3::smallint[], $4::bigint[]) AS kind (severity, status, before) \
     CROSS JOIN LATERAL ((SELECT 1 FROM event WHERE event.owner = k.owner \
     AND event.severity = kind.severity AND event.status = kind.status \
     AND event.created_at < kind.before AND event.aged_from IS NULL LIMIT 1) \
     UNION ALL (SELECT 1 FROM event WHERE event.owner = k.owner AND event.aged_from < kind.before \
     AND event.severity = kind.severity AND event.status = kind.status LIMIT 1)) AS found";

/// The events of one feed that are too old.
const OLD_EVENTS: &str = "SELECT found.id \
     FROM unnest($2::smallint[], $3::smallint[], $4::bigint[]) AS kind (severity, status, before) \
     CROSS JOIN LATERAL ((SELECT id FROM event WHERE event.owner = $1 \
     AND event.severity = kind.severity AND event.status = kind.status \
     AND event.created_at < kind.before AND event.aged_from IS NULL ORDER BY created_at, id LIMIT $5) \
     UNION ALL (SELECT id FROM event WHERE event.owner = $1 AND event.aged_from < kind.before \
     AND event.severity = kind.severity AND event.status = kind.status ORDER BY aged_from LIMIT $5)) \
     AS found LIMIT $5";

/// The events of a feed that were stored first.
const OLDEST: &str = "SELECT id FROM event WHERE owner = $1 ORDER BY created_rev LIMIT $2";

/// Finds a piece of the events that `retention` does not keep.
pub(super) async fn expired(
    pool: &Pool,
    system: SystemId,
    retention: &Retention,
    now: Timestamp,
    from: FeedPosition,
) -> Result<ExpiredPage, StoreError> {
    let mut connection = pool.get().await?;
    let snapshot = connection
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(store_error)?;
    let looking = Looking {
        snapshot: &snapshot,
        system: system.into(),
        retention,
        now,
    };
    let page = looking.page(from).await.map_err(store_error)?;
    snapshot.rollback().await.map_err(store_error)?;
    Ok(page)
}

/// The kinds of events whose age is limited, with the moments before which they are too old.
struct Ages {
    severities: Vec<i16>,
    statuses: Vec<i16>,
    before: Vec<i64>,
}

impl Ages {
    fn of(retention: &Retention, now: Timestamp) -> Self {
        let mut ages = Self {
            severities: Vec::new(),
            statuses: Vec::new(),
            before: Vec::new(),
        };
        for severity in Severity::ALL {
            let Some(age) = retention.age_of(severity) else {
                continue;
            };
            for status in [Status::Unread, Status::Read] {
                ages.severities.push(severity_number(severity));
                ages.statuses.push(status_number(status));
                ages.before.push(nanoseconds(moment_before(now, age)));
            }
        }
        ages
    }
}

/// A look at some feeds.
struct Looking<'a> {
    snapshot: &'a Transaction<'a>,
    system: OwnerId,
    retention: &'a Retention,
    now: Timestamp,
}

impl Looking<'_> {
    async fn page(&self, from: FeedPosition) -> Result<ExpiredPage, tokio_postgres::Error> {
        let feeds = self.feeds(from).await?;
        let mut next = match feeds.last() {
            Some((owner, _)) if feeds.len() == FEEDS_AT_A_TIME => {
                Some(FeedPosition::after(owner.as_u128()))
            }
            _ => None,
        };
        let ages = Ages::of(self.retention, self.now);
        let with_old = self.with_old(&feeds, &ages).await?;
        let mut room = EVENTS_AT_A_TIME;
        let mut events = Vec::new();
        for (owner, total) in feeds {
            let mut ids = Vec::new();
            if with_old.contains(&owner) {
                ids = self.too_old(owner, &ages, room).await?;
            }
            let left = room - ids.len();
            self.too_many(owner, total, left, &mut ids).await?;
            room = room.saturating_sub(ids.len());
            if !ids.is_empty() {
                events.push((OwnerId::from_uuid(owner), ids));
            }
            if room == 0 {
                // This feed can have more.
                next = Some(FeedPosition::before(owner.as_u128()));
                break;
            }
        }
        Ok(ExpiredPage { events, next })
    }

    /// The next feeds, with the numbers of their events.
    async fn feeds(&self, from: FeedPosition) -> Result<Vec<(Uuid, u64)>, tokio_postgres::Error> {
        let limits_users = self.retention.owner_events.is_some()
            || Severity::ALL
                .into_iter()
                .any(|severity| self.retention.age_of(severity).is_some());
        let limit = i64::try_from(FEEDS_AT_A_TIME).unwrap_or(i64::MAX);
        let after = Uuid::from_u128(from.0);
        let rows = self
            .snapshot
            .query(
                FEEDS,
                &[&after, &limits_users, self.system.as_uuid(), &limit],
            )
            .await?;
        let feed = |row: &tokio_postgres::Row| {
            let total: i64 = row.get(1);
            (row.get(0), total.unsigned_abs())
        };
        Ok(rows.iter().map(feed).collect())
    }

    /// Which of these feeds have an event that is older than the retention time of its severity. Most have none.
    async fn with_old(
        &self,
        feeds: &[(Uuid, u64)],
        ages: &Ages,
    ) -> Result<HashSet<Uuid>, tokio_postgres::Error> {
        if ages.before.is_empty() {
            return Ok(HashSet::new());
        }
        let owners: Vec<Uuid> = feeds.iter().map(|(owner, _)| *owner).collect();
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&owners, &ages.severities, &ages.statuses, &ages.before];
        let rows = self.snapshot.query(FEEDS_WITH_OLD, &parameters).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// At most `room` events of a feed that are older than the retention time of their severity.
    async fn too_old(
        &self,
        owner: Uuid,
        ages: &Ages,
        room: usize,
    ) -> Result<Vec<EventId>, tokio_postgres::Error> {
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let parameters: [&(dyn ToSql + Sync); 5] = [
            &owner,
            &ages.severities,
            &ages.statuses,
            &ages.before,
            &limit,
        ];
        let rows = self.snapshot.query(OLD_EVENTS, &parameters).await?;
        let ids = rows.iter().map(|row| EventId::from_uuid(row.get(0)));
        Ok(ids.collect())
    }

    /// The events that were stored before those that are kept. Their times do not matter: a publisher's clock
    /// must not decide which events of others are deleted. An event that is too old does not count against
    /// the limit.
    async fn too_many(
        &self,
        owner: Uuid,
        total: u64,
        room: usize,
        ids: &mut Vec<EventId>,
    ) -> Result<(), tokio_postgres::Error> {
        let kept = match OwnerId::from_uuid(owner) == self.system {
            true => Some(self.retention.system_events),
            false => self.retention.owner_events,
        };
        let Some(kept) = kept else { return Ok(()) };
        let left = total.saturating_sub(ids.len() as u64);
        let excess = usize::try_from(left.saturating_sub(kept)).unwrap_or(usize::MAX);
        let excess = excess.min(room);
        if excess == 0 {
            return Ok(());
        }
        let too_old: HashSet<EventId> = ids.iter().copied().collect();
        let limit = i64::try_from(excess + too_old.len()).unwrap_or(i64::MAX);
        let oldest = self.snapshot.query(OLDEST, &[&owner, &limit]).await?;
        let oldest = oldest.iter().map(|row| EventId::from_uuid(row.get(0)));
        let oldest = oldest.filter(|id| !too_old.contains(id));
        ids.extend(oldest.take(excess));
        Ok(())
    }
}

/// The moment `age` before `now`, or the beginning of the calendar.
fn moment_before(now: Timestamp, age: Duration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}
