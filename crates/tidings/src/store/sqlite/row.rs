//! Converts events to rows and back.

use std::str::FromStr;
use std::sync::LazyLock;

use bytes::Bytes;
use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Statement, ToSql};
use tidings_event::wire::{Digest, EventFields};
use tidings_event::{OwnerId, Rev, Status, Timestamp};
use uuid::Uuid;

use super::fault::UnreadableColumn;
use crate::store::Submission;
use crate::store::moment::nanoseconds;

/// The description of an event, which it can share with those of other owners.
macro_rules! description {
    () => {
        "CASE WHEN event.shared IS NULL THEN event.description ELSE coalesce((SELECT \
         shared_content.description FROM shared_content WHERE shared_content.key = event.shared), \
         event.description) END"
    };
}

/// The metadata of an event, which it can share with those of other owners.
macro_rules! metadata {
    () => {
        "CASE WHEN event.shared IS NULL THEN event.metadata ELSE coalesce((SELECT \
         shared_content.metadata FROM shared_content WHERE shared_content.key = event.shared), \
         event.metadata) END"
    };
}

/// The description of an event, as a column.
pub(crate) const DESCRIPTION: &str = description!();

macro_rules! event_columns {
    ($status:literal, $updated_at:literal) => {
        concat!(
            "event.created_rev, event.id, feed.owner, event.system_id, event.operation_id, \
             event.acted_upon, event.category, event.action, event.severity, ",
            $status,
            ", event.created_at, ",
            $updated_at,
            ", ",
            description!(),
            ", ",
            metadata!(),
            ", event.expires_at"
        )
    };
}

/// The columns that [`with_event`] reads, in its order, of an event as it is stored. The owner is the feed's.
pub(crate) const STORED_COLUMNS: &str = event_columns!("event.status", "event.updated_at");

/// The same columns of an event as a user sees it, who can have an overlay for it.
pub(crate) const SEEN_COLUMNS: &str = event_columns!(
    "coalesce(overlay.status, event.status)",
    "max(coalesce(overlay.updated_at, 0), event.updated_at)"
);

/// Joins a viewer's overlays: `?{viewer}` is the key of the viewer's feed, `?{system}` that of the system's.
pub(crate) fn overlay_join(viewer: usize, system: usize) -> String {
    format!(
        " LEFT JOIN overlay ON event.feed = ?{system} AND overlay.feed = ?{viewer} \
         AND overlay.system_rev = event.created_rev"
    )
}

/// How many columns these are. Others can follow them.
pub(crate) const EVENT_COLUMN_COUNT: usize = 15;

/// The bytes that a row counts against the quota of its owner, like [`Submission::stored_bytes`].
pub(crate) const STORED_BYTES: &str = concat!(
    "(512 + octet_length(event.category) + octet_length(event.action) + octet_length(",
    description!(),
    ") + coalesce(octet_length(",
    metadata!(),
    "), 0))"
);

/// A new event, to be inserted at `rev` of the feed with the key `feed`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRow<'a> {
    /// The key of the row.
    pub(crate) key: i64,
    pub(crate) feed: i64,
    pub(crate) rev: Rev,
    pub(crate) submission: &'a Submission,
    /// The digest of its content for its owner.
    pub(crate) digest: &'a Digest,
    /// The key of the content that it shares with others, if it does. Then the submission has the same.
    pub(crate) shared: Option<&'a [u8]>,
}

impl<'a> NewRow<'a> {
    /// The row of an event that goes to one owner.
    pub(crate) const fn of_one(key: i64, feed: i64, rev: Rev, submission: &'a Submission) -> Self {
        Self {
            key,
            feed,
            rev,
            submission,
            digest: &submission.digests.of_content,
            shared: None,
        }
    }
}

/// The columns of a [`NewRow`], in the order in which it is bound.
const NEW_COLUMNS: &str = "key, feed, created_rev, id, digest, system_id, operation_id, acted_upon, \
     category, action, severity, status, created_at, updated_at, description, metadata, expires_at, shared";

/// How many rows one statement inserts. Within one statement, SQLite finds the position of a rising key in
/// an index next to the key before; `cargo xtask bench ingest` measures raw SQLite both ways.
const STATEMENT_ROWS: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// One statement for each size.
static INSERTS: LazyLock<[String; STATEMENT_ROWS.len()]> = LazyLock::new(|| {
    let row = vec!["?"; NEW_COLUMNS.split(',').count()].join(",");
    STATEMENT_ROWS.map(|rows| {
        let rows = vec![format!("({row})"); rows].join(",");
        format!("INSERT INTO event ({NEW_COLUMNS}) VALUES {rows}")
    })
});

/// Inserts events. `false` if the feed of one has its id already: then the events before it may be
/// inserted, and a caller that inserts more than one has to roll that back.
pub(crate) fn insert_events(
    connection: &Connection,
    mut rows: &[NewRow<'_>],
) -> rusqlite::Result<bool> {
    for (number, insert) in STATEMENT_ROWS.into_iter().zip(&*INSERTS) {
        while let Some((now, later)) = rows.split_at_checked(number) {
            let mut statement = connection.prepare_cached(insert)?;
            let mut parameters = Parameters::of(&mut statement);
            for row in now {
                row.bind(&mut parameters)?;
            }
            match statement.raw_execute() {
                Ok(_) => rows = later,
                Err(error) if is_taken_id(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
            for row in now {
                row.note_age(connection)?;
            }
        }
    }
    Ok(true)
}

fn is_taken_id(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::SqliteFailure(cause, Some(message))
            if cause.extended_code == SQLITE_CONSTRAINT_UNIQUE
                && message.ends_with(" event.id, event.feed")
    )
}

/// The parameters of a statement, bound from the first to the last.
struct Parameters<'a, 'connection> {
    statement: &'a mut Statement<'connection>,
    bound: usize,
}

impl<'a, 'connection> Parameters<'a, 'connection> {
    const fn of(statement: &'a mut Statement<'connection>) -> Self {
        Self {
            statement,
            bound: 0,
        }
    }

    fn bind(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}

impl NewRow<'_> {
    /// Stores the time from which the event's age counts, if not from its creation.
    fn note_age(self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(aged_from) = self.submission.aged_from else {
            return Ok(());
        };
        connection
            .prepare_cached("INSERT INTO misdated (id, feed, aged_from) VALUES (?1, ?2, ?3)")?
            .execute((
                self.submission.event.id.as_uuid().as_bytes(),
                self.feed,
                nanoseconds(aged_from),
            ))?;
        Ok(())
    }

    fn bind(self, to: &mut Parameters<'_, '_>) -> rusqlite::Result<()> {
        let Submission {
            event, metadata, ..
        } = self.submission;
        to.bind(self.key)?;
        to.bind(self.feed)?;
        to.bind(rev_to_sql(self.rev)?)?;
        to.bind(event.id.as_uuid().as_bytes())?;
        to.bind(self.digest.as_bytes())?;
        to.bind(event.system_id.as_uuid().as_bytes())?;
        to.bind(event.operation_id.as_uuid().as_bytes())?;
        to.bind(event.acted_upon.as_uuid().as_bytes())?;
        to.bind(event.category.as_str())?;
        to.bind(event.action.as_str())?;
        to.bind(event.severity.as_str())?;
        to.bind(event.status.as_str())?;
        to.bind(nanoseconds(event.created_at))?;
        to.bind(nanoseconds(event.updated_at))?;
        let is_shared = self.shared.is_some();
        to.bind(if is_shared {
            ""
        } else {
            event.description.as_str()
        })?;
        to.bind(metadata.as_deref().filter(|_| !is_shared))?;
        to.bind(event.expires_at.map(nanoseconds))?;
        to.bind(self.shared)
    }
}

/// Reads the fields of an event from a row that begins with [`STORED_COLUMNS`] or [`SEEN_COLUMNS`], and
/// passes them to `read`. Metadata stays text: as parsed values it can take many times the memory.
pub(crate) fn with_event<T>(
    row: &Row<'_>,
    read: impl FnOnce(&EventFields<'_>) -> T,
) -> rusqlite::Result<T> {
    let (category, action) = (word(row, 6, "category")?, word(row, 7, "action")?);
    Ok(read(&EventFields {
        id: uuid(row, 1)?.into(),
        owner: Some(OwnerId::from(uuid(row, 2)?)),
        system_id: uuid(row, 3)?.into(),
        operation_id: uuid(row, 4)?.into(),
        acted_upon: uuid(row, 5)?.into(),
        category: &category,
        action: &action,
        severity: word(row, 8, "severity")?,
        status: word::<Status>(row, 9, "status")?,
        created_at: moment(row, 10)?,
        updated_at: moment(row, 11)?,
        description: row.get_ref(12)?.as_str()?,
        metadata: row.get_ref(13)?.as_str_or_null()?,
        expires_at: optional_moment(row, 14)?,
        deleted_at: None,
    }))
}

/// Reads the JSON of an event from such a row.
pub(crate) fn event_json(row: &Row<'_>) -> rusqlite::Result<Bytes> {
    with_event(row, |event| {
        let mut json = Vec::with_capacity(event.json_bytes());
        event.write_json(&mut json);
        json.into()
    })
}

/// Reads a position from column `index`.
pub(crate) fn rev(row: &Row<'_>, index: usize) -> rusqlite::Result<Rev> {
    let number: i64 = row.get(index)?;
    u64::try_from(number)
        .map(Rev::new)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}

/// Reads a count from column `index`.
pub(super) fn number(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(index)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}

/// A position as SQLite stores it.
pub(crate) fn rev_to_sql(rev: Rev) -> rusqlite::Result<i64> {
    i64::try_from(rev.get()).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A number as SQLite stores it; larger ones count as the largest.
pub(crate) fn number_to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads one of our words, such as a severity, from column `index`.
pub(crate) fn word<T: FromStr>(
    row: &Row<'_>,
    index: usize,
    column: &'static str,
) -> rusqlite::Result<T> {
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|_| {
        let value = text.chars().take(40).collect();
        let error = UnreadableColumn { column, value };
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into())
    })
}

/// Reads an id from column `index`.
pub(crate) fn uuid(row: &Row<'_>, index: usize) -> rusqlite::Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(index)?))
}

/// Reads a moment from column `index`.
pub(crate) fn moment(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    let nanoseconds: i64 = row.get(index)?;
    Timestamp::from_nanosecond(nanoseconds.into())
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, nanoseconds))
}

/// Reads a moment, if there is one, from column `index`.
fn optional_moment(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    match row.get_ref(index)?.as_i64_or_null()? {
        Some(_) => moment(row, index).map(Some),
        None => Ok(None),
    }
}
