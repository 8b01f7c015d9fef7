//! Compares the final state with the acknowledged requests.

use std::collections::HashMap;

use tidings_event::Status;

use super::name;
use crate::actors::Shared;
use crate::caller::User;
use crate::findings::Moment;
use crate::follower::State;
use crate::history::{Action, Deed, Feed, Key, Outcome, Publication, Record, Scope, Sent};
use crate::site::KEPT_OF_SYSTEM;

/// Every acknowledged publish is there unless it was deleted, acknowledged deletions hold, and so do the marks and
/// updates that were acknowledged last.
pub(super) fn check_states(
    shared: &Shared,
    user: User,
    events: &HashMap<Key, State>,
) -> Result<(), String> {
    let record = shared.history.record();
    for (key, sent) in &record.sent {
        if !matches!(key.feed, Feed::System) && key.feed != Feed::User(user) {
            continue;
        }
        let found = events.get(key);
        check_state(&record, user, *key, sent, found).map_err(|finding| {
            let actions: Vec<&Action> = record.actions_on(user, *key).collect();
            format!("{key:?} {finding}; {sent:?}; {actions:?}")
        })?;
    }
    Ok(())
}

fn check_state(
    record: &Record,
    user: User,
    key: Key,
    sent: &Sent,
    found: Option<&State>,
) -> Result<(), String> {
    let mut is_deleted = false;
    let mut can_be_deleted = key.feed == Feed::System && can_be_expired(record, sent);
    // The time from which a later acknowledged mark of the event is known to have happened.
    let mut settled = None;
    for action in record.actions_on(user, key) {
        let is_certain = concerns(action, sent);
        match (action.deed, action.outcome) {
            (Deed::Delete, Outcome::Done(_)) if is_certain => is_deleted = true,
            (Deed::Delete, _) => can_be_deleted = true,
            (Deed::Mark(_), Outcome::Done(_)) if is_certain => {
                settled = settled.max(Some(action.begun));
            }
            (Deed::Mark(_), _) => {}
        }
    }
    let Some(found) = found else {
        return match sent.stored {
            Some(_) if !is_deleted && !can_be_deleted => {
                Err("was acknowledged and is lost".to_owned())
            }
            _ => Ok(()),
        };
    };
    if is_deleted {
        return Err("is there although its deletion was acknowledged".to_owned());
    }
    if found.update < sent.updates.acknowledged {
        return Err(format!("has the update {}", found.update));
    }
    let found = found.status;
    // The state is that of its creation, or of a mark after which no acknowledged one began.
    let can_be = |action: &Action| match (action.deed, action.outcome) {
        (Deed::Mark(status), Outcome::Done(end)) => {
            status == found && settled.is_none_or(|settled| end >= settled)
        }
        (Deed::Mark(status), Outcome::Unknown) => status == found,
        (Deed::Mark(_), Outcome::Refused) | (Deed::Delete, _) => false,
    };
    let is_untouched = found == Status::Unread && settled.is_none();
    if is_untouched || record.actions_on(user, key).any(can_be) {
        Ok(())
    } else {
        Err(format!("is {}", name(found)))
    }
}

/// Whether an action that is done must have found the event.
fn concerns(action: &Action, sent: &Sent) -> bool {
    if let Scope::All(Some(severity)) = action.scope
        && !sent.always_has(severity)
    {
        return false;
    }
    sent.stored
        .is_some_and(|(stored, _)| stored < action.covers)
}

/// Whether as many newer system events can exist as retention keeps.
fn can_be_expired(record: &Record, sent: &Sent) -> bool {
    let newer = record.sent.iter().filter(|(key, other)| {
        let end = other.stored.map_or(Moment::NEVER, |(stored, _)| stored);
        key.feed == Feed::System && end > sent.begun
    });
    // The event itself is one of them.
    newer.count() > KEPT_OF_SYSTEM
}

/// Whether one event of a publication is there, and another is not although nobody can have deleted it.
fn is_in_part(record: &Record, publication: &Publication) -> bool {
    let is_missing = |key: &&Key| match key.feed {
        Feed::System => false,
        Feed::User(user) => !record.present.contains(key) && !record.can_be_deleted(user, **key),
    };
    let mut keys = publication.keys.iter();
    keys.any(|key| record.present.contains(key))
        && publication.keys.iter().any(|key| is_missing(&key))
}

/// Each publish request took effect once, and as a whole.
pub(super) fn check_publications(shared: &Shared) {
    let record = shared.history.record();
    let mut totals = [0_u64; 4];
    for (number, publication) in record.publications.iter().enumerate() {
        totals[0] += u64::from(publication.created);
        totals[1] += u64::from(publication.repeated);
        totals[2] += u64::from(publication.unknown);
        totals[3] += u64::from(publication.conflicts);
        let is_known = publication.created + publication.repeated > 0;
        let finding = if publication.created > 1 {
            "was stored twice"
        } else if publication.unknown == 0 && is_known && publication.created == 0 {
            "was there before anybody was told that it was stored"
        } else if publication.conflicts > 0 && publication.unknown == 0 && !is_known {
            "conflicts with nothing"
        } else if !is_known && is_in_part(&record, publication) {
            "is there in part"
        } else {
            continue;
        };
        shared.findings.report(format_args!(
            "publication {number} {finding}: {publication:?}"
        ));
    }
    let (mut sent, mut updated) = (0, 0);
    for Sent { updates, .. } in record.sent.values() {
        sent += updates.sent();
        updated += u64::from(updates.sent() > 0);
    }
    let done = record.actions.iter();
    let done = done.filter(|action| matches!(action.outcome, Outcome::Done(_)));
    let [created, repeated, unknown, conflicts] = totals;
    shared.findings.tell(format_args!(
        "{} publications of {} events: {created} stored, {repeated} repeated, {conflicts} conflicts, {unknown} \
         responses missing; {} of {} changes acknowledged; {sent} updates of {updated} events",
        record.publications.len(),
        record.sent.len(),
        done.count(),
        record.actions.len(),
    ));
}
