//! Brings the schema of an earlier version up to date.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite_migration::Migrations;

use super::fault::OpenFault;
use super::migrations::{MIGRATIONS, SCHEMA_VERSION};

/// How often a long upgrade is reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How many of SQLite's virtual instructions it runs between looks at the time: some milliseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 100_000;

/// Creates the schema, or applies the migrations that an older one lacks.
///
/// All of them are one transaction. If the process is killed or the disk is full, the store keeps its old
/// schema, and the next start begins the upgrade again.
pub(super) fn upgrade(connection: &mut Connection) -> Result<(), OpenFault> {
    let migrations = Migrations::from_slice(MIGRATIONS);
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_older = usize::try_from(version).is_ok_and(|version| version < SCHEMA_VERSION);
    if version == 0 || !is_older {
        return Ok(migrations.to_latest(connection)?);
    }
    let begun = Instant::now();
    tracing::info!(
        from_schema = version,
        to_schema = SCHEMA_VERSION,
        "upgrading the event store"
    );
    let mut reported = begun;
    let report = move || {
        if reported.elapsed() >= REPORT_INTERVAL {
            reported = Instant::now();
            let seconds = begun.elapsed().as_secs();
            tracing::info!(seconds, "still upgrading the event store");
        }
        false
    };
    connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(report))?;
    let upgraded = migrations.to_latest(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    upgraded?;
    let seconds = begun.elapsed().as_secs_f64();
    tracing::info!(seconds, "upgraded the event store");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of the version before the newest, with 1,000 events.
    fn older() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let migrations = Migrations::from_slice(MIGRATIONS);
        migrations
            .to_version(&mut connection, SCHEMA_VERSION - 1)
            .unwrap();
        connection
            .execute_batch(
                "WITH RECURSIVE rev (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rev WHERE n < 1000)
                 INSERT INTO event (feed, created_rev, id, digest, system_id, operation_id,
                 acted_upon, category, action, severity, status, created_at, updated_at, description)
                 SELECT 1, n, randomblob(16), x'', x'', x'', x'', 'a', 'b', 'debug', 'unread',
                 n, n, 'text' FROM rev",
            )
            .unwrap();
        connection
    }

    /// The version of the schema, and how many events there are.
    fn state(connection: &Connection) -> (i64, i64) {
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        let events = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0));
        (version.unwrap(), events.unwrap())
    }

    #[test]
    fn an_interrupted_upgrade_leaves_the_old_schema() {
        let newest = i64::try_from(SCHEMA_VERSION).unwrap();
        let mut connection = older();
        for instructions in [1, 1_000, 5_000, 10_000] {
            connection
                .progress_handler(instructions, Some(|| true))
                .unwrap();
            let interrupted = Migrations::from_slice(MIGRATIONS).to_latest(&mut connection);
            assert!(interrupted.is_err(), "{instructions}");
            connection
                .progress_handler(0, None::<fn() -> bool>)
                .unwrap();
            assert_eq!(state(&connection), (newest - 1, 1000));
        }
        upgrade(&mut connection).unwrap();
        assert_eq!(state(&connection), (newest, 1000));
    }
}
