//! Converts rows to events and values.

use std::str::FromStr;

use bytes::Bytes;
use tidings_event::wire::EventFields;
use tidings_event::{EventId, OwnerId, Rev, Severity, Status, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use super::read_fault::ReadFault;
use crate::search::fold;
use crate::store::Side;
use crate::store::kind::Kind;

/// The description of an event, which it can share with those of other owners.
macro_rules! description {
    () => {
        "(CASE WHEN event.shared IS NULL THEN event.description ELSE coalesce((SELECT \
         shared_content.description FROM shared_content WHERE shared_content.key = event.shared), \
         event.description) END)"
    };
}

/// The metadata of an event, which it can share with those of other owners.
macro_rules! metadata {
    () => {
        "(CASE WHEN event.shared IS NULL THEN event.metadata ELSE coalesce((SELECT \
         shared_content.metadata FROM shared_content WHERE shared_content.key = event.shared), \
         event.metadata) END)"
    };
}

/// The description without its case; see the column `folded`.
macro_rules! folded_description {
    () => {
        "(CASE WHEN event.shared IS NULL THEN coalesce(event.folded, lower(event.description)) \
         ELSE coalesce((SELECT coalesce(shared_content.folded, lower(shared_content.description)) \
         FROM shared_content WHERE shared_content.key = event.shared), event.folded, \
         lower(event.description)) END)"
    };
}

/// The bytes of an event in the quota of its owner.
macro_rules! stored_bytes {
    () => {
        concat!(
            "512 + octet_length(event.category) + octet_length(event.action) + octet_length(",
            $crate::store::postgres::row::description!(),
            ") + coalesce(octet_length(",
            $crate::store::postgres::row::metadata!(),
            "), 0)"
        )
    };
}

pub(super) use {description, folded_description, metadata, stored_bytes};

macro_rules! event_columns {
    ($status:literal, $updated_at:literal) => {
        concat!(
            "event.created_rev, event.id, event.owner, event.system_id, event.operation_id, \
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

/// The columns that [`with_event`] reads, in its order, of an event as a user sees it, through the overlay that the
/// user may have for it.
pub(super) const SEEN_COLUMNS: &str = event_columns!(
    "coalesce(overlay.status, event.status)",
    "greatest(overlay.updated_at, event.updated_at)"
);

/// The same columns of an event as it was created, if `first` is its first mark.
pub(super) const CREATED_COLUMNS: &str = event_columns!(
    "coalesce(first.before, event.status)",
    "coalesce(first.updated_before, event.updated_at)"
);

/// The same columns of an event as an update left it. `noted` must be that update, and no later one may have replaced
/// the content.
pub(super) const UPDATED_COLUMNS: &str = event_columns!("noted.status_after", "noted.at");

/// The number of these columns. A statement can have more columns after them.
pub(super) const EVENT_COLUMN_COUNT: usize = 15;

/// Joins a viewer's overlays: `${viewer}` is the viewer, `${system}` the system.
pub(super) fn overlay_join(viewer: usize, system: usize) -> String {
    format!(
        " LEFT JOIN overlay ON event.owner = ${system} AND overlay.owner = ${viewer} \
         AND overlay.system_rev = event.created_rev"
    )
}

/// Reads the fields of an event from a row that begins with [`SEEN_COLUMNS`], [`CREATED_COLUMNS`] or
/// [`UPDATED_COLUMNS`], and passes them to `read`. Metadata stays text: as parsed values it can take many times the memory.
pub(super) fn with_event<T>(
    row: &Row,
    read: impl FnOnce(&EventFields<'_>) -> T,
) -> Result<T, ReadFault> {
    let (category, action) = (word(row, 6, "category")?, word(row, 7, "action")?);
    Ok(read(&EventFields {
        id: id(row, 1)?,
        owner: Some(owner(row, 2)?),
        system_id: uuid(row, 3)?.into(),
        operation_id: uuid(row, 4)?.into(),
        acted_upon: uuid(row, 5)?.into(),
        category: &category,
        action: &action,
        severity: severity(row, 8)?,
        status: status(row, 9)?,
        created_at: moment(row, 10)?,
        updated_at: moment(row, 11)?,
        description: row.try_get(12)?,
        metadata: row.try_get(13)?,
        expires_at: optional_moment(row, 14)?,
        deleted_at: None,
    }))
}

/// Reads the JSON of an event from such a row.
pub(super) fn event_json(row: &Row) -> Result<Bytes, ReadFault> {
    with_event(row, |event| {
        let mut json = Vec::with_capacity(event.json_bytes());
        event.write_json(&mut json);
        json.into()
    })
}

/// The folded form of a text, unless PostgreSQL's `lower` gives the same for "C".
pub(super) fn folded(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let folded = fold(text);
    (folded != text.to_ascii_lowercase()).then_some(folded)
}

/// Reads a position from column `index`.
pub(super) fn rev(row: &Row, index: usize) -> Result<Rev, ReadFault> {
    Ok(Rev::new(number(row, index)?))
}

/// Reads a count from column `index`.
pub(super) fn number(row: &Row, index: usize) -> Result<u64, ReadFault> {
    let number: i64 = row.try_get(index)?;
    u64::try_from(number).map_err(|_| ReadFault::unreadable("number", number))
}

/// A position as PostgreSQL stores it. None is larger than the largest: a range that ends beyond it ends there.
pub(super) fn rev_to_sql(rev: Rev) -> i64 {
    i64::try_from(rev.get()).unwrap_or(i64::MAX)
}

/// Reads a word of a fixed set from column `index`.
pub(super) fn word<T: FromStr>(
    row: &Row,
    index: usize,
    column: &'static str,
) -> Result<T, ReadFault> {
    let text: &str = row.try_get(index)?;
    text.parse()
        .map_err(|_| ReadFault::unreadable(column, text))
}

/// Reads a severity from column `index`.
pub(super) fn severity(row: &Row, index: usize) -> Result<Severity, ReadFault> {
    let number: i16 = row.try_get(index)?;
    let severity = usize::try_from(number).ok();
    let severity = severity.and_then(|number| Severity::ALL.get(number));
    severity
        .copied()
        .ok_or_else(|| ReadFault::unreadable("severity", number))
}

/// Reads a status from column `index`.
pub(super) fn status(row: &Row, index: usize) -> Result<Status, ReadFault> {
    let number: i16 = row.try_get(index)?;
    match number {
        0 => Ok(Status::Unread),
        1 => Ok(Status::Read),
        _ => Err(ReadFault::unreadable("status", number)),
    }
}

/// A severity as PostgreSQL stores it.
pub(super) fn severity_number(severity: Severity) -> i16 {
    i16::from(Kind::of(severity, Status::Unread).number() / 2)
}

/// A status as PostgreSQL stores it.
pub(super) const fn status_number(status: Status) -> i16 {
    match status {
        Status::Unread => 0,
        Status::Read => 1,
    }
}

/// Reads a UUID from column `index`.
pub(super) fn uuid(row: &Row, index: usize) -> Result<Uuid, ReadFault> {
    Ok(row.try_get(index)?)
}

/// Reads the id of an event from column `index`.
pub(super) fn id(row: &Row, index: usize) -> Result<EventId, ReadFault> {
    Ok(uuid(row, index)?.into())
}

/// Reads an owner from column `index`.
pub(super) fn owner(row: &Row, index: usize) -> Result<OwnerId, ReadFault> {
    Ok(OwnerId::from_uuid(uuid(row, index)?))
}

/// Reads a side from column `index`, which says whether it is the system's.
pub(super) fn side(row: &Row, index: usize) -> Result<Side, ReadFault> {
    Ok(match row.try_get(index)? {
        true => Side::System,
        false => Side::Own,
    })
}

/// Reads a moment from column `index`.
pub(super) fn moment(row: &Row, index: usize) -> Result<Timestamp, ReadFault> {
    let nanoseconds: i64 = row.try_get(index)?;
    Timestamp::from_nanosecond(nanoseconds.into())
        .map_err(|_| ReadFault::unreadable("moment", nanoseconds))
}

/// Reads a moment, if there is one, from column `index`.
pub(super) fn optional_moment(row: &Row, index: usize) -> Result<Option<Timestamp>, ReadFault> {
    match row.try_get::<_, Option<i64>>(index)? {
        Some(_) => moment(row, index).map(Some),
        None => Ok(None),
    }
}
