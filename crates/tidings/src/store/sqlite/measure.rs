//! Measures the bytes of events that an older version stored.

use rusqlite::{OptionalExtension as _, Transaction};

use super::lists::List;
use super::read_connection::ReadConnection;
use super::row::STORED_BYTES;

/// The most events measured at a time: a commit of a few milliseconds.
const EVENTS_AT_A_TIME: u32 = 1024;

impl ReadConnection {
    /// Whether there are unmeasured events.
    pub(crate) fn has_unmeasured_feeds(&self) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                // The index's own condition; see `0005_quota.sql`.
                "SELECT EXISTS (SELECT 1 FROM feed INDEXED BY feed_to_measure \
                 WHERE measured_rev < measure_to)",
            )?
            .query_row([], |row| row.get(0))
    }
}

/// Measures some events, and adds them to the counter of their feed.
pub(super) fn measure(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let feed: Option<(i64, i64, i64)> = transaction
        .prepare_cached(
            "SELECT key, measured_rev, measure_to FROM feed INDEXED BY feed_to_measure \
             WHERE measured_rev < measure_to LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((feed, after, up_to)) = feed else {
        return Ok(());
    };
    // All events of an older version are listed.
    let sql = format!(
        "SELECT listed.at, {STORED_BYTES} \
         FROM listed CROSS JOIN event ON event.key = listed.event \
         WHERE listed.feed = ?1 AND listed.list = {} AND listed.at > ?2 AND listed.at <= ?3 \
         ORDER BY listed.at LIMIT ?4",
        List::CREATED_REV.number()
    );
    let mut events = transaction.prepare_cached(&sql)?;
    let mut rows = events.query((feed, after, up_to, EVENTS_AT_A_TIME))?;
    let (mut bytes, mut number, mut reached) = (0, 0, up_to);
    while let Some(row) = rows.next()? {
        number += 1;
        bytes += row.get::<_, i64>(1)?;
        if number == EVENTS_AT_A_TIME {
            reached = row.get(0)?;
        }
    }
    transaction
        .prepare_cached("UPDATE feed SET bytes = bytes + ?2, measured_rev = ?3 WHERE key = ?1")?
        .execute((feed, bytes, reached))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::Connection;
    use rusqlite_migration::Migrations;
    use tidings_event::{Event, OwnerId, Severity};
    use uuid::Uuid;

    use super::super::data_files::DATABASE;
    use super::super::migrations::MIGRATIONS;
    use super::super::{SqliteStore, audit};
    use crate::store::{Progress, Store as _};
    use crate::{Config, EventFilter, EventId, PageRequest, Paging, Tidings};

    /// The last schema without the counter.
    const BEFORE: usize = 4;

    /// A store of that schema, with events of which two were deleted.
    fn old_store(path: &std::path::Path, owner: OwnerId) {
        let mut connection = Connection::open(path.join(DATABASE)).unwrap();
        let migrations = Migrations::from_slice(MIGRATIONS);
        migrations.to_version(&mut connection, BEFORE).unwrap();
        let insert = "WITH RECURSIVE rev (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rev WHERE n < 3000) \
             INSERT INTO event (feed, created_rev, id, digest, system_id, operation_id, acted_upon, \
             category, action, severity, status, created_at, updated_at, description, metadata) \
             SELECT 7, n, randomblob(16), randomblob(32), randomblob(16), randomblob(16), \
             randomblob(16), 'deployment', 'apply', 'success', 'unread', n, n, \
             'Straße ' || n, CASE n % 2 WHEN 0 THEN '{\"n\":1}' END FROM rev";
        let feed = "INSERT INTO feed (key, owner, head) VALUES (7, ?1, 3000)";
        let bytes = owner.as_uuid().as_bytes();
        connection.execute(feed, [bytes]).unwrap();
        connection.execute(insert, []).unwrap();
        connection
            .execute_batch(
                "INSERT INTO counter VALUES (7, 'success', 'unread', 2998);
                 INSERT INTO type_counter VALUES (7, 'deployment', 'apply', 2998);
                 INSERT INTO tombstone SELECT id, feed, created_rev, created_rev + 5000, digest, 0,
                     unixepoch() * 1000000000
                 FROM event WHERE created_rev IN (10, 2000);
                 DELETE FROM event WHERE created_rev IN (10, 2000);
                 UPDATE feed SET head = 7000;",
            )
            .unwrap();
    }

    #[tokio::test]
    async fn measures_an_older_store_while_its_events_change() {
        let directory = tempfile::tempdir().unwrap();
        let owner = OwnerId::mint();
        old_store(directory.path(), owner);
        let event = || {
            Event::builder()
                .from_user(*owner.as_uuid())
                .acted_upon(Uuid::from_u128(1))
                .with_category("deployment")
                .with_action("apply")
                .with_severity(Severity::Success)
                .build()
                .unwrap()
        };
        let tidings = Tidings::open(Config::new(directory.path())).await.unwrap();
        tidings.publish(event()).await.unwrap();
        let all = all_ids(&tidings, owner).await;
        // Some are measured before they are deleted, and some are not.
        for id in all.iter().step_by(300) {
            tidings.delete(owner, *id).await.unwrap();
        }
        tidings.publish(event()).await.unwrap();
        tidings.close().await;
        let store = SqliteStore::open(directory.path()).unwrap();
        while store.tidy().await.unwrap() == Progress::More {}
        store.close().await;
        let audit = audit(directory.path(), Duration::from_secs(60)).unwrap();
        assert!(audit.complete && audit.wrong.is_empty(), "{audit:?}");
        let connection = Connection::open(directory.path().join(DATABASE)).unwrap();
        let (bytes, deletions): (i64, i64) = connection
            .query_row("SELECT bytes, deletions FROM feed", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert!(bytes > 2_900 * 512, "{bytes}");
        assert_eq!(deletions, 2 + 10);
        let wrong = "UPDATE feed SET bytes = bytes + 1, deletions = deletions - 1";
        connection.execute_batch(wrong).unwrap();
        let found = super::super::audit(directory.path(), Duration::from_secs(60)).unwrap();
        let found: Vec<_> = found.wrong.iter().map(|wrong| wrong.what).collect();
        assert_eq!(found, ["bytes", "remembered deletions"]);
    }

    /// The ids of all events of the owner.
    async fn all_ids(tidings: &Tidings, owner: OwnerId) -> Vec<EventId> {
        let mut ids = Vec::new();
        for number in 0..4 {
            let page = PageRequest::default()
                .with_paging(Paging::Number(number))
                .with_size(1_000);
            let page = tidings.list(owner, EventFilter::default(), page).await;
            ids.extend(page.unwrap().events.into_iter().map(|event| event.id));
        }
        ids
    }
}
