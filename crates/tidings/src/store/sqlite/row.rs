//! An event as a row and back.

use std::str::FromStr;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use tidings_event::{Event, OwnerId, Rev, Status, Timestamp};
use uuid::Uuid;

use super::fault::UnreadableColumn;
use crate::store::Submission;

macro_rules! event_columns {
    ($status:literal, $updated_at:literal) => {
        concat!(
            "event.created_rev, event.id, feed.owner, event.system_id, event.operation_id, \
             event.acted_upon, event.category, event.action, event.severity, ",
            $status,
            ", event.created_at, ",
            $updated_at,
            ", event.description, event.metadata"
        )
    };
}

/// The columns [`read_event`] reads, in its order, of an event as it is stored. The owner is that of
/// the feed.
pub(crate) const STORED_COLUMNS: &str = event_columns!("event.status", "event.updated_at");

/// The same of an event as a user sees it, who may have an `overlay` for it.
pub(crate) const SEEN_COLUMNS: &str = event_columns!(
    "coalesce(overlay.status, event.status)",
    "coalesce(overlay.updated_at, event.updated_at)"
);

/// Joins what a viewer did to the system's events: `?{viewer}` is the key of the viewer's feed,
/// `?{system}` that of the system's.
pub(crate) fn overlay_join(viewer: usize, system: usize) -> String {
    format!(
        " LEFT JOIN overlay ON event.feed = ?{system} AND overlay.feed = ?{viewer} \
         AND overlay.system_rev = event.created_rev"
    )
}

/// How many columns those are: others may follow them.
pub(crate) const EVENT_COLUMN_COUNT: usize = 14;

const INSERT: &str = "INSERT INTO event (feed, created_rev, id, digest, system_id, operation_id, \
     acted_upon, category, action, severity, status, created_at, updated_at, description, metadata) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
     ON CONFLICT (id) DO NOTHING";

/// Inserts an event at `rev` of `feed`. `false` if its id is taken, and then nothing changed.
pub(crate) fn insert_event(
    connection: &Connection,
    feed: i64,
    rev: Rev,
    submission: &Submission,
) -> rusqlite::Result<bool> {
    let Submission {
        event,
        metadata,
        digests,
        ..
    } = submission;
    let inserted = connection.prepare_cached(INSERT)?.execute(params![
        feed,
        rev_to_sql(rev)?,
        event.id.as_uuid().as_bytes(),
        digests.of_content.as_bytes(),
        event.system_id.as_uuid().as_bytes(),
        event.operation_id.as_uuid().as_bytes(),
        event.acted_upon.as_uuid().as_bytes(),
        event.category.as_str(),
        event.action.as_str(),
        event.severity.as_str(),
        event.status.as_str(),
        nanoseconds(event.created_at),
        nanoseconds(event.updated_at),
        event.description,
        metadata.as_deref(),
    ])?;
    Ok(inserted == 1)
}

/// Reads an event and its rev from a row that begins with [`STORED_COLUMNS`] or [`SEEN_COLUMNS`].
pub(crate) fn read_event(row: &Row<'_>) -> rusqlite::Result<(Rev, Event)> {
    let metadata = row.get_ref(13)?.as_str_or_null()?;
    let metadata = metadata
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(13, Type::Text, error.into()))?;
    let event = Event {
        id: uuid(row, 1)?.into(),
        owner: Some(OwnerId::from(uuid(row, 2)?)),
        system_id: uuid(row, 3)?.into(),
        operation_id: uuid(row, 4)?.into(),
        acted_upon: uuid(row, 5)?.into(),
        category: word(row, 6, "category")?,
        action: word(row, 7, "action")?,
        severity: word(row, 8, "severity")?,
        status: word::<Status>(row, 9, "status")?,
        created_at: moment(row, 10)?,
        updated_at: moment(row, 11)?,
        description: row.get(12)?,
        metadata,
        deleted_at: None,
    };
    Ok((rev(row, 0)?, event))
}

/// Reads a position from column `index`.
pub(crate) fn rev(row: &Row<'_>, index: usize) -> rusqlite::Result<Rev> {
    let number: i64 = row.get(index)?;
    u64::try_from(number)
        .map(Rev::new)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
}

/// A position as SQLite stores it.
pub(crate) fn rev_to_sql(rev: Rev) -> rusqlite::Result<i64> {
    i64::try_from(rev.get()).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A moment as SQLite stores it: nanoseconds since 1970. The rules keep an event's in range; one
/// that a filter names is cut to the range, which changes nothing about what it lets through.
pub(crate) fn nanoseconds(moment: Timestamp) -> i64 {
    let nanoseconds = moment.as_nanosecond();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
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
