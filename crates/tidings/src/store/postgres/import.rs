//! Writes the rows of another store.

use std::fmt::Write as _;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Transaction};

use super::pool::Connection;
use super::row::folded;
use crate::store::records::{
    AudienceRecord, ContentRecord, EndedRecord, EventRecord, FeedRecord, OverlayRecord, Record,
    RecordPosition, TombstoneRecord,
};

type Values<'a> = [&'a (dyn ToSql + Sync)];

const FEEDS: &str = "\
    INSERT INTO feed (owner, head, floor, bytes, deletions, counts, overlay_read, overlay_deleted) \
    SELECT owner, head, floor, bytes, deletions, counts::bigint[], of_read::bigint[], of_deleted::bigint[] \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], \
    $8::text[]) AS feed (owner, head, floor, bytes, deletions, counts, of_read, of_deleted)";

const EVENTS: &str = "\
    INSERT INTO event (owner, id, created_rev, changed_rev, severity, status, created_at, updated_at, \
    aged_from, system_id, operation_id, acted_upon, category, action, description, folded, metadata, digest, \
    content_rev, sequence, expires_at, shared) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::smallint[], $6::smallint[], \
    $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::text[], \
    $15::text[], $16::text[], $17::text[], $18::bytea[], $19::bigint[], $20::bigint[], \
    $21::bigint[], $22::uuid[])";

const TOMBSTONES: &str = "\
    INSERT INTO tombstone (owner, id, created_rev, deleted_rev, digest, created_at, deleted_at) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], \
    $7::bigint[])";

const OVERLAYS: &str = "\
    INSERT INTO overlay (owner, system_rev, changed_rev, severity, status, deleted, updated_at) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], \
    $6::boolean[], $7::bigint[])";

const ENDED: &str = "\
    INSERT INTO ended (owner, system_rev, severity) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::smallint[])";

const CONTENTS: &str = "\
    INSERT INTO shared_content (key, description, folded, metadata, rows) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[])";

const AUDIENCES: &str = "\
    INSERT INTO audience (key, id, system_id, content, digest, created_at, severity, sequence, retracted_at, \
    members) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[], $6::bigint[], \
    $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[])";

/// Writes records, and how far the move has got, in one transaction.
pub(super) async fn write(
    connection: &mut Connection,
    records: &[Record],
    part: i16,
    place: RecordPosition,
) -> Result<(), Error> {
    let rows = Rows::of(records);
    let transaction = connection.transaction().await?;
    feeds(&transaction, &rows.feeds).await?;
    events(&transaction, &rows.events).await?;
    tombstones(&transaction, &rows.tombstones).await?;
    overlays(&transaction, &rows.overlays).await?;
    ended(&transaction, &rows.ended).await?;
    contents(&transaction, &rows.contents).await?;
    audiences(&transaction, &rows.audiences).await?;
    let sql = "UPDATE unfinished_move SET part = $1, owner = $2, rev = $3";
    transaction
        .execute(sql, &[&part, &place.owner, &place.rev])
        .await?;
    transaction.commit().await
}

/// Records by their kind.
#[derive(Debug, Default)]
struct Rows<'a> {
    feeds: Vec<&'a FeedRecord>,
    events: Vec<&'a EventRecord>,
    tombstones: Vec<&'a TombstoneRecord>,
    overlays: Vec<&'a OverlayRecord>,
    ended: Vec<&'a EndedRecord>,
    contents: Vec<&'a ContentRecord>,
    audiences: Vec<&'a AudienceRecord>,
}

impl<'a> Rows<'a> {
    fn of(records: &'a [Record]) -> Self {
        let mut rows = Self::default();
        for record in records {
            match record {
                Record::Feed(feed) => rows.feeds.push(feed),
                Record::Event(event) => rows.events.push(event),
                Record::Tombstone(tombstone) => rows.tombstones.push(tombstone),
                Record::Overlay(overlay) => rows.overlays.push(overlay),
                Record::Ended(ended) => rows.ended.push(ended),
                Record::Content(content) => rows.contents.push(content),
                Record::Audience(audience) => rows.audiences.push(audience),
            }
        }
        rows
    }
}

fn column<T, V>(rows: &[&T], value: impl Fn(&T) -> V) -> Vec<V> {
    rows.iter().map(|row| value(row)).collect()
}

async fn insert(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &Values<'_>,
) -> Result<(), Error> {
    transaction.execute(sql, values).await.map(drop)
}

async fn feeds(transaction: &Transaction<'_>, rows: &[&FeedRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: &Values<'_> = &[
        &column(rows, |feed| feed.owner),
        &column(rows, |feed| feed.head),
        &column(rows, |feed| feed.floor),
        &column(rows, |feed| feed.bytes),
        &column(rows, |feed| feed.deletions),
        // An array of arrays would be one array.
        &column(rows, |feed| array(&feed.counts)),
        &column(rows, |feed| array(&feed.read)),
        &column(rows, |feed| array(&feed.deleted)),
    ];
    insert(transaction, FEEDS, values).await
}

/// Numbers as a literal of PostgreSQL.
fn array(numbers: &[i64]) -> String {
    let mut text = String::from("{");
    for (index, number) in numbers.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{comma}{number}");
    }
    text + "}"
}

async fn events(transaction: &Transaction<'_>, rows: &[&EventRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: &Values<'_> = &[
        &column(rows, |event| event.owner),
        &column(rows, |event| event.id),
        &column(rows, |event| event.created_rev),
        &column(rows, |event| event.changed_rev),
        &column(rows, |event| i16::from(event.kind / 2)),
        &column(rows, |event| i16::from(event.kind % 2)),
        &column(rows, |event| event.created_at),
        &column(rows, |event| event.updated_at),
        &column(rows, |event| event.aged_from),
        &column(rows, |event| event.system_id),
        &column(rows, |event| event.operation_id),
        &column(rows, |event| event.acted_upon),
        &texts(rows, |event| &event.category),
        &texts(rows, |event| &event.action),
        &texts(rows, |event| &event.description),
        &column(rows, |event| folded(&event.description)),
        &rows
            .iter()
            .map(|event| event.metadata.as_deref())
            .collect::<Vec<_>>(),
        &rows
            .iter()
            .map(|event| event.digest.as_slice())
            .collect::<Vec<_>>(),
        &column(rows, |event| event.content_rev),
        &column(rows, |event| event.sequence),
        &column(rows, |event| event.expires_at),
        &column(rows, |event| event.shared),
    ];
    insert(transaction, EVENTS, values).await
}

fn texts<'a>(rows: &[&'a EventRecord], text: fn(&'a EventRecord) -> &'a String) -> Vec<&'a str> {
    rows.iter().map(|row| text(row).as_str()).collect()
}

async fn tombstones(transaction: &Transaction<'_>, rows: &[&TombstoneRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: &Values<'_> = &[
        &column(rows, |tombstone| tombstone.owner),
        &column(rows, |tombstone| tombstone.id),
        &column(rows, |tombstone| tombstone.created_rev),
        &column(rows, |tombstone| tombstone.deleted_rev),
        &rows
            .iter()
            .map(|tombstone| tombstone.digest.as_slice())
            .collect::<Vec<_>>(),
        &column(rows, |tombstone| tombstone.created_at),
        &column(rows, |tombstone| tombstone.deleted_at),
    ];
    insert(transaction, TOMBSTONES, values).await
}

async fn overlays(transaction: &Transaction<'_>, rows: &[&OverlayRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: &Values<'_> = &[
        &column(rows, |overlay| overlay.owner),
        &column(rows, |overlay| overlay.system_rev),
        &column(rows, |overlay| overlay.changed_rev),
        &column(rows, |overlay| i16::from(overlay.kind / 2)),
        &column(rows, |overlay| i16::from(overlay.kind % 2)),
        &column(rows, |overlay| overlay.deleted),
        &column(rows, |overlay| overlay.updated_at),
    ];
    insert(transaction, OVERLAYS, values).await
}

async fn ended(transaction: &Transaction<'_>, rows: &[&EndedRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let values: &Values<'_> = &[
        &column(rows, |ended| ended.owner),
        &column(rows, |ended| ended.system_rev),
        &column(rows, |ended| i16::from(ended.severity)),
    ];
    insert(transaction, ENDED, values).await
}

async fn contents(transaction: &Transaction<'_>, rows: &[&ContentRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let descriptions: Vec<_> = rows.iter().map(|row| row.description.as_str()).collect();
    let metadata: Vec<_> = rows.iter().map(|row| row.metadata.as_deref()).collect();
    let values: &Values<'_> = &[
        &column(rows, |content| content.key),
        &descriptions,
        &column(rows, |content| folded(&content.description)),
        &metadata,
        &column(rows, |content| content.rows),
    ];
    insert(transaction, CONTENTS, values).await
}

async fn audiences(transaction: &Transaction<'_>, rows: &[&AudienceRecord]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let digests: Vec<_> = rows.iter().map(|row| row.digest.as_slice()).collect();
    let values: &Values<'_> = &[
        &column(rows, |audience| audience.key),
        &column(rows, |audience| audience.id),
        &column(rows, |audience| audience.system_id),
        &column(rows, |audience| audience.content),
        &digests,
        &column(rows, |audience| audience.created_at),
        &column(rows, |audience| i16::from(audience.severity)),
        &column(rows, |audience| audience.sequence),
        &column(rows, |audience| audience.retracted_at),
        &column(rows, |audience| audience.members),
    ];
    insert(transaction, AUDIENCES, values).await
}
