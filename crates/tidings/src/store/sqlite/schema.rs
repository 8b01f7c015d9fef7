//! Checks that a database has the schema that the migrations make, and nothing else.

use std::collections::BTreeSet;
use std::fmt;

use rusqlite::Connection;
use rusqlite_migration::Migrations;

use super::migrations::MIGRATIONS;

/// A table, index, trigger or view, as in `sqlite_schema`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    name: String,
    table: String,
    /// `None` for an index that SQLite creates for a constraint.
    sql: Option<String>,
}

/// How an object differs from what the migrations make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SchemaDifference {
    kind: String,
    name: String,
    how: &'static str,
}

impl fmt::Display for SchemaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` {}", self.kind, self.name, self.how)
    }
}

/// Compares the schema of a database with that of `version`.
pub(super) fn differences(
    connection: &Connection,
    version: usize,
) -> Result<Vec<SchemaDifference>, rusqlite_migration::Error> {
    let mut model = Connection::open_in_memory()?;
    Migrations::from_slice(MIGRATIONS).to_version(&mut model, version)?;
    let (expected, found) = (objects(&model)?, objects(connection)?);
    let named = |set: &BTreeSet<Object>, object: &Object| {
        set.iter()
            .any(|other| other.kind == object.kind && other.name == object.name)
    };
    let missing = expected
        .iter()
        .filter(|object| !named(&found, object))
        .map(|object| (object, "is missing"));
    let foreign = found.difference(&expected).map(|object| {
        let how = match named(&expected, object) {
            true => "is not as Tidings makes it",
            false => "is not one that Tidings makes",
        };
        (object, how)
    });
    let all = foreign
        .chain(missing)
        .map(|(object, how)| SchemaDifference {
            kind: object.kind.clone(),
            name: object.name.clone(),
            how,
        });
    Ok(all.collect())
}

fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    connection
        // SQLite's own statistics change no result.
        .prepare(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema \
             WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'",
        )?
        .query_map([], |row| {
            Ok(Object {
                kind: row.get(0)?,
                name: row.get(1)?,
                table: row.get(2)?,
                sql: row.get(3)?,
            })
        })?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::migrations::SCHEMA_VERSION;
    use super::*;

    fn found(change: &str) -> Vec<String> {
        let mut connection = Connection::open_in_memory().unwrap();
        Migrations::from_slice(MIGRATIONS)
            .to_latest(&mut connection)
            .unwrap();
        connection.execute_batch(change).unwrap();
        let differences = differences(&connection, SCHEMA_VERSION).unwrap();
        differences
            .iter()
            .map(SchemaDifference::to_string)
            .collect()
    }

    #[test]
    fn finds_objects_that_the_migrations_do_not_make() {
        assert!(found("").is_empty());
        assert!(found("ANALYZE").is_empty());
        for (change, difference) in [
            (
                "CREATE TRIGGER steal AFTER INSERT ON event BEGIN DELETE FROM tombstone; END",
                "trigger `steal` is not one that Tidings makes",
            ),
            (
                "CREATE VIEW all_mail AS SELECT * FROM event",
                "view `all_mail` is not one that Tidings makes",
            ),
            (
                "CREATE TABLE notes (text)",
                "table `notes` is not one that Tidings makes",
            ),
            (
                "ALTER TABLE feed ADD COLUMN extra TEXT",
                "table `feed` is not as Tidings makes it",
            ),
            (
                "DROP INDEX overlay_by_event",
                "index `overlay_by_event` is missing",
            ),
        ] {
            assert_eq!(found(change), [difference]);
        }
    }

    #[test]
    fn every_version_matches_itself() {
        for version in 1..=SCHEMA_VERSION {
            let mut connection = Connection::open_in_memory().unwrap();
            let migrations = Migrations::from_slice(MIGRATIONS);
            migrations.to_version(&mut connection, version).unwrap();
            assert_eq!(differences(&connection, version).unwrap(), []);
        }
    }
}
