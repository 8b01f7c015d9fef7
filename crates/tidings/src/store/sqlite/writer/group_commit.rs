//! Commits a group of requests in one transaction, as far as the disk has room for it.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::sqlite::change;
use crate::store::sqlite::event_budget::free_pages;
use crate::store::sqlite::fault::is_full;
use crate::store::sqlite::feeds::Feeds;
use crate::store::sqlite::known_feeds::KnownFeeds;
use crate::store::sqlite::publish::store_requests;
use crate::store::sqlite::recipients;
use crate::store::sqlite::reserve::Disk;
use crate::store::sqlite::settling::Settling;
use crate::store::sqlite::update;
use crate::store::{
    AudienceOutcome, AudienceRequest, Committed, ContentUpdate, FanOut, FanOutOutcome, Group,
    PublishOutcome, StoreError, Submission, UpdateOutcome,
};

/// Which requests of a group the disk has room for.
struct Admitted {
    publications: Vec<bool>,
    fan_outs: Vec<bool>,
    audiences: Vec<bool>,
    updates: Vec<bool>,
}

impl Admitted {
    fn none(group: &Group) -> Self {
        Self {
            publications: vec![false; group.publications.len()],
            fan_outs: vec![false; group.fan_outs.len()],
            audiences: vec![false; group.audiences.len()],
            updates: vec![false; group.updates.len()],
        }
    }

    fn contains(&self, admitted: bool) -> bool {
        self.publications.contains(&admitted)
            || self.fan_outs.contains(&admitted)
            || self.audiences.contains(&admitted)
            || self.updates.contains(&admitted)
    }
}

/// Commits a group. On a disk that is nearly full, publish requests and updates for which there is no room are left
/// out.
pub(super) fn commit_with_room(
    connection: &mut Connection,
    settling: Settling,
    known: &mut KnownFeeds,
    group: &Group,
    disk: &Disk,
) -> rusqlite::Result<Committed> {
    let admitted = admit(connection, group, disk)?;
    let publishes = admitted.contains(true);
    let done = match disk.is_tight() {
        true => disk.make_room_for(connection, true, |connection| {
            commit(connection, settling, known, group, &admitted, disk)
        }),
        false => commit(connection, settling, known, group, &admitted, disk),
    };
    let done = match done {
        // Steps can make room, so they are committed without the others.
        Err(error) if is_full(&error) => {
            disk.note(publishes);
            if publishes {
                disk.tell(true);
            }
            if group.steps.is_empty() {
                return Err(error);
            }
            let none = Admitted::none(group);
            disk.make_room_for(connection, true, |connection| {
                commit(connection, settling, known, group, &none, disk)
            })
        }
        Ok(committed) => {
            if publishes {
                disk.note(false);
            }
            Ok(committed)
        }
        other => other,
    };
    disk.tidy_log(connection);
    done
}

/// Which publish requests and updates the disk has room for.
fn admit(connection: &Connection, group: &Group, disk: &Disk) -> rusqlite::Result<Admitted> {
    if !group.needs_room() {
        return Ok(Admitted::none(group));
    }
    let mut budget = disk.budget(connection)?;
    let fits = group.publications.iter().map(|publication| {
        let bytes = publication.submissions.iter().map(Submission::stored_bytes);
        budget.take(bytes.sum())
    });
    let publications = fits.collect();
    let fan_outs = group.fan_outs.iter().map(FanOut::stored_bytes);
    let fan_outs = fan_outs.map(|bytes| budget.take(bytes)).collect();
    // A retraction makes room.
    let audiences = group.audiences.iter().map(AudienceRequest::stored_bytes);
    let audiences = audiences.map(|bytes| bytes == 0 || budget.take(bytes));
    let audiences = audiences.collect();
    let updates = group.updates.iter().map(ContentUpdate::stored_bytes);
    let admitted = Admitted {
        publications,
        fan_outs,
        audiences,
        updates: updates.map(|bytes| budget.take(bytes)).collect(),
    };
    if admitted.contains(false) && disk.rejects(free_pages(connection)?) {
        disk.tell(true);
    }
    Ok(admitted)
}

fn commit(
    connection: &mut Connection,
    settling: Settling,
    known: &mut KnownFeeds,
    group: &Group,
    admitted: &Admitted,
    disk: &Disk,
) -> rusqlite::Result<Committed> {
    let system = settling.system;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // They are lost if the transaction fails: its feeds are not as the database has them.
    let mut feeds = Feeds::new(settling, mem::take(known));
    let requests = group.publications.iter().zip(&admitted.publications);
    let requests = requests.filter_map(|(request, admitted)| admitted.then_some(request));
    let requests: Vec<_> = requests.collect();
    let mut stored = store_requests(&transaction, system, &mut feeds, &requests)?.into_iter();
    let no_room = || Arc::new(StoreError::Full(disk.kept().into()));
    let published = admitted.publications.iter().map(|admitted| {
        let outcome = if *admitted { stored.next() } else { None };
        outcome.unwrap_or_else(|| PublishOutcome::NoRoom(no_room()))
    });
    let published = published.collect();
    let mut fanned_out = Vec::with_capacity(group.fan_outs.len());
    for (one, admitted) in group.fan_outs.iter().zip(&admitted.fan_outs) {
        fanned_out.push(match admitted {
            true => recipients::store(&transaction, system, &mut feeds, one)?,
            false => FanOutOutcome::NoRoom(no_room()),
        });
    }
    let mut audiences = Vec::with_capacity(group.audiences.len());
    for (one, admitted) in group.audiences.iter().zip(&admitted.audiences) {
        audiences.push(match admitted {
            true => recipients::begin(&transaction, one)?,
            false => AudienceOutcome::NoRoom(no_room()),
        });
    }
    let mut updated = Vec::with_capacity(group.updates.len());
    for (one, admitted) in group.updates.iter().zip(&admitted.updates) {
        updated.push(match admitted {
            true => update::apply(&transaction, system, &mut feeds, one)?,
            false => UpdateOutcome::NoRoom(no_room()),
        });
    }
    let mut changed = Vec::with_capacity(group.steps.len());
    for step in &group.steps {
        changed.push(change::apply(&transaction, system, &mut feeds, step)?);
    }
    feeds.write_back(&transaction)?;
    let began = Instant::now();
    transaction.commit()?;
    let sync_time = began.elapsed();
    *known = feeds.committed();
    Ok(Committed {
        published,
        fanned_out,
        audiences,
        updated,
        changed,
        sync_time,
    })
}
