//! Brings the schema of an earlier version up to date.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite_migration::Migrations;

use super::fault::OpenFault;
use super::listing::list_some;
use super::migrations::{LISTING_VERSION, MIGRATIONS, SCHEMA_VERSION};
use crate::store::Progress;

/// How often a long upgrade is reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How many of SQLite's virtual instructions it runs between looks at the time: some milliseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 100_000;

/// Creates the schema, or applies the migrations that an older one lacks.
///
/// The migrations up to the lists are one transaction. Then the lists are filled in steps, each of which is
/// one, and the migrations after them are one again. If the process is killed or the disk is full, the
/// store keeps the schema and the lists of the last transaction, and the next start continues there.
pub(super) fn upgrade(connection: &mut Connection) -> Result<(), OpenFault> {
    let migrations = Migrations::from_slice(MIGRATIONS);
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version == 0 || version >= SCHEMA_VERSION {
        return Ok(migrations.to_latest(connection)?);
    }
    let begun = Instant::now();
    tracing::info!(
        from_schema = version,
        to_schema = SCHEMA_VERSION,
        "upgrading the event store"
    );
    if version < LISTING_VERSION {
        reporting(connection, begun, |connection| {
            migrations.to_version(connection, LISTING_VERSION)
        })?;
    }
    if version <= LISTING_VERSION {
        list_all(connection)?;
    }
    reporting(connection, begun, |connection| {
        migrations.to_latest(connection)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    tracing::info!(seconds, "upgraded the event store");
    Ok(())
}

/// Runs a migration and reports now and then that it goes on: one can read every event.
fn reporting<T>(
    connection: &mut Connection,
    begun: Instant,
    migrate: impl FnOnce(&mut Connection) -> Result<T, rusqlite_migration::Error>,
) -> Result<T, OpenFault> {
    let mut reported = Instant::now();
    let report = move || {
        if reported.elapsed() >= REPORT_INTERVAL {
            reported = Instant::now();
            let seconds = begun.elapsed().as_secs();
            tracing::info!(seconds, "still upgrading the event store");
        }
        false
    };
    connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(report))?;
    let migrated = migrate(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    Ok(migrated?)
}

/// Lists all events in steps.
fn list_all(connection: &mut Connection) -> rusqlite::Result<()> {
    let counted = "SELECT count(*), coalesce(max(key), 0) FROM feed";
    let (feeds, last_feed): (i64, i64) =
        connection.query_row(counted, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut reported = Instant::now();
    let mut events = 0;
    loop {
        let step = list_some(connection)?;
        events += step.events;
        if step.progress == Progress::Done {
            return Ok(());
        }
        if reported.elapsed() >= REPORT_INTERVAL {
            reported = Instant::now();
            tracing::info!(
                events,
                feed = step.feed,
                last_feed,
                feeds,
                "still upgrading the event store: listing its events"
            );
        }
    }
}

/// Makes the lists and the counts of an up-to-date store again from its events.
pub(super) fn list_again(connection: &mut Connection) -> Result<(), OpenFault> {
    Migrations::from_slice(MIGRATIONS).to_version(connection, LISTING_VERSION)?;
    upgrade(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last schema without lists.
    const WITHOUT_LISTS: usize = LISTING_VERSION - 1;

    /// A database of that schema, with feeds of 3,000 events, of one, and of none.
    fn older() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let migrations = Migrations::from_slice(MIGRATIONS);
        migrations
            .to_version(&mut connection, WITHOUT_LISTS)
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO feed (key, owner, head) VALUES (3, x'01', 3000), (5, x'02', 1), (6, x'03', 9);
                 WITH RECURSIVE rev (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rev WHERE n < 3000)
                 INSERT INTO event (feed, created_rev, id, digest, system_id, operation_id,
                 acted_upon, category, action, severity, status, created_at, updated_at, description)
                 SELECT 3, n, randomblob(16), x'', x'', x'', x'', 'a', 'b', 'debug', 'unread',
                 n, n, 'text' FROM rev;
                 INSERT INTO event (feed, created_rev, id, digest, system_id, operation_id,
                 acted_upon, category, action, severity, status, created_at, updated_at, description)
                 VALUES (5, 1, randomblob(16), x'', x'', x'', x'', 'a', 'b', 'debug', 'unread',
                 1, 1, 'text');",
            )
            .unwrap();
        connection
    }

    /// The version of the schema, how many events there are, and how many entries of lists.
    fn state(connection: &Connection) -> (usize, i64, i64) {
        let version =
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get(0))
        };
        let entries = count("listed").unwrap_or(0);
        (version.unwrap() as usize, count("event").unwrap(), entries)
    }

    #[test]
    fn an_interrupted_upgrade_leaves_the_old_schema() {
        let mut connection = older();
        for instructions in [1, 20, 50, 100] {
            connection
                .progress_handler(instructions, Some(|| true))
                .unwrap();
            let interrupted =
                Migrations::from_slice(MIGRATIONS).to_version(&mut connection, LISTING_VERSION);
            assert!(interrupted.is_err(), "{instructions}");
            connection
                .progress_handler(0, None::<fn() -> bool>)
                .unwrap();
            assert_eq!(state(&connection), (WITHOUT_LISTS, 3_001, 0));
        }
        upgrade(&mut connection).unwrap();
        assert_eq!(state(&connection), (SCHEMA_VERSION, 3_001, 4 * 3_001));
    }

    #[test]
    fn an_upgrade_continues_after_any_step() {
        let mut connection = older();
        Migrations::from_slice(MIGRATIONS)
            .to_version(&mut connection, LISTING_VERSION)
            .unwrap();
        let step = list_some(&mut connection).unwrap();
        assert_eq!((step.progress, step.events), (Progress::More, 2_048));
        assert_eq!(state(&connection), (LISTING_VERSION, 3_001, 4 * 2_048));
        // An interrupted step leaves nothing.
        connection.progress_handler(500, Some(|| true)).unwrap();
        assert!(list_some(&mut connection).is_err());
        connection
            .progress_handler(0, None::<fn() -> bool>)
            .unwrap();
        assert_eq!(state(&connection), (LISTING_VERSION, 3_001, 4 * 2_048));
        upgrade(&mut connection).unwrap();
        assert_eq!(state(&connection), (SCHEMA_VERSION, 3_001, 4 * 3_001));
        let listed = "SELECT group_concat(listed_rev, ' ') FROM feed";
        let listed: String = connection.query_row(listed, [], |row| row.get(0)).unwrap();
        assert_eq!(listed, "3000 1 9");
    }

    #[test]
    fn lists_are_made_again() {
        let mut connection = older();
        upgrade(&mut connection).unwrap();
        let all = |connection: &Connection| -> Vec<(i64, i64, i64, Vec<u8>, i64)> {
            let mut read = connection.prepare("SELECT * FROM listed").unwrap();
            let rows = read.query_map([], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            });
            rows.unwrap().collect::<Result<_, _>>().unwrap()
        };
        connection
            .execute_batch(
                "UPDATE event SET content_rev = 5000 + created_rev, sequence = 7
                 WHERE created_rev % 100 = 0;
                 INSERT INTO listed (feed, list, at, id, event)
                 SELECT feed, 35, content_rev, x'', key FROM event WHERE content_rev IS NOT NULL;",
            )
            .unwrap();
        let before = all(&connection);
        connection
            .execute_batch("DELETE FROM listed WHERE at % 3 = 0; UPDATE feed SET counts = x''")
            .unwrap();
        list_again(&mut connection).unwrap();
        assert_eq!(all(&connection), before);
        let updated = "SELECT count(*) FROM event \
             WHERE content_rev = 5000 + created_rev AND sequence = 7";
        let updated: i64 = connection.query_row(updated, [], |row| row.get(0)).unwrap();
        assert_eq!(updated, 30);
        assert_eq!(
            super::super::schema::differences(&connection, SCHEMA_VERSION).unwrap(),
            []
        );
    }
}
