//! Replaces the content of an event.

use rusqlite::{OptionalExtension as _, Transaction, params};
use tidings_event::{OwnerId, Rev, SystemId};

use super::feeds::Feeds;
use super::lists::{LISTED_COLUMNS, Listed, listed};
use super::recipients::{Member, OWN_CONTENT};
use super::row::{
    EVENT_COLUMN_COUNT, STORED_BYTES, STORED_COLUMNS, number, number_to_sql, rev_to_sql, with_event,
};
use super::search_blocks;
use crate::store::decide::update::{BeforeUpdate, Stays};
use crate::store::kind::Kind;
use crate::store::moment::nanoseconds;
use crate::store::{ContentUpdate, UpdateOutcome, Updated};

/// An event that is updated.
struct Found {
    listed: Listed,
    before: BeforeUpdate,
    bytes: u64,
    member: Option<Member>,
}

/// Applies an update.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    system: SystemId,
    feeds: &mut Feeds,
    update: &ContentUpdate,
) -> rusqlite::Result<UpdateOutcome> {
    let Some(feed) = feeds.key(transaction, update.owner)? else {
        return Ok(UpdateOutcome::NotFound);
    };
    let Some(Found {
        listed,
        before,
        bytes,
        member,
    }) = find(transaction, feed, update)?
    else {
        return Ok(UpdateOutcome::NotFound);
    };
    if let Some(content) = update.shared {
        let is_current = match &member {
            Some(member) => member.has_current(transaction, content)?,
            None => false,
        };
        if !is_current {
            return Ok(UpdateOutcome::Superseded);
        }
    }
    let kept = |later| UpdateOutcome::Kept {
        owner: update.owner,
        rev: listed.content_rev.unwrap_or(listed.created_rev),
        json: before.json(),
        later,
    };
    let system = OwnerId::from(system);
    let after = match before.after(update, system) {
        Ok(after) => after,
        Err(Stays::Same) => return Ok(kept(None)),
        Err(Stays::Later(number)) => return Ok(kept(Some(number))),
        Err(Stays::Rejected(outcome)) => return Ok(*outcome),
    };
    let text = |metadata: &Option<Box<str>>| metadata.as_ref().map_or(0, |text| text.len());
    let old = (before.event.description.len() + text(&before.metadata)) as u64;
    let new_bytes = bytes - old + update.text_bytes();
    let quota = update.quota.filter(|_| update.owner != system);
    let feed = feeds.load(transaction, update.owner)?;
    if !feed.resize(&listed, bytes, new_bytes, quota) {
        return Ok(UpdateOutcome::OverQuota {
            bytes: new_bytes,
            used: feed.bytes(),
        });
    }
    let rev = feed.advance();
    let changed = Listed {
        content_rev: Some(rev),
        kind: Kind::of(update.severity, after.status),
        updated_at: nanoseconds(after.updated_at),
        ..listed
    };
    feed.replace(&listed, changed)?;
    let feed = feed.key;
    write(transaction, update, &changed, after.sequence, (rev, member))?;
    if *update.description != *before.event.description {
        search_blocks::add_text(transaction, feed, listed.created_rev, &update.description)?;
    }
    Ok(UpdateOutcome::Updated(Updated {
        owner: update.owner,
        rev,
        id: update.id,
        json: after.json,
        counts: after.counts,
    }))
}

fn find(
    transaction: &Transaction<'_>,
    feed: i64,
    update: &ContentUpdate,
) -> rusqlite::Result<Option<Found>> {
    let sql = format!(
        "SELECT {STORED_COLUMNS}, event.sequence, {STORED_BYTES}, event.shared, event.id, event.system_id \
         FROM event JOIN feed ON feed.key = event.feed WHERE event.id = ?1 AND event.feed = ?2"
    );
    let key = (update.id.as_uuid().as_bytes(), feed);
    let before = transaction
        .prepare_cached(&sql)?
        .query_row(key, |row| {
            let (event, metadata) = with_event(row, |fields| {
                (fields.without_metadata(), fields.metadata.map(Box::from))
            })?;
            let sequence = row.get::<_, Option<i64>>(EVENT_COLUMN_COUNT)?;
            let before = BeforeUpdate {
                event,
                metadata,
                sequence: sequence.map(i64::unsigned_abs),
            };
            let member = Member::read(row, EVENT_COLUMN_COUNT + 2)?;
            Ok((before, number(row, EVENT_COLUMN_COUNT + 1)?, member))
        })
        .optional()?;
    let Some((before, bytes, member)) = before else {
        return Ok(None);
    };
    let sql = format!("SELECT {LISTED_COLUMNS} FROM event WHERE id = ?1 AND feed = ?2");
    let listed = transaction.prepare_cached(&sql)?.query_row(key, listed)?;
    Ok(Some(Found {
        listed,
        before,
        bytes,
        member,
    }))
}

fn write(
    transaction: &Transaction<'_>,
    update: &ContentUpdate,
    changed: &Listed,
    sequence: Option<u64>,
    (rev, member): (Rev, Option<Member>),
) -> rusqlite::Result<()> {
    let own = update.shared.is_none();
    let shared: Option<&[u8]> = match &update.shared {
        Some(content) => Some(content.as_bytes()),
        None => member.map(|_| OWN_CONTENT),
    };
    transaction
        .prepare_cached(
            "UPDATE event SET severity = ?2, status = ?3, updated_at = ?4, description = ?5, \
             metadata = ?6, content_rev = ?7, sequence = ?8, shared = ?9 WHERE key = ?1",
        )?
        .execute(params![
            changed.key,
            changed.kind.severity().as_str(),
            changed.kind.status().as_str(),
            changed.updated_at,
            if own { &*update.description } else { "" },
            update.metadata.as_deref().filter(|_| own),
            rev_to_sql(rev)?,
            sequence.map(number_to_sql),
            shared,
        ])?;
    if let Some(member) = member {
        member.change_content(transaction, update.shared)?;
    }
    Ok(())
}
