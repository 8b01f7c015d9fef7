//! Decides publish requests, each stored whole or not at all.

use tidings_event::OwnerId;

use super::state::{EventSource, State};
use crate::store::decide::publish::{There, limit_of, owner_of};
use crate::store::{self, Conflict, OverQuota, Publication, PublishOutcome, Submission};

/// Why nothing of a request is stored.
enum Rejected {
    Conflict(Conflict),
    OverQuota { index: usize, owner: OwnerId },
}

impl<'a> State<'a> {
    /// Stores a request, or nothing of it if the owner of one of its events has its id with other content or
    /// has no room for it. Each event may be a repeat, also of one before it; for repeats there is always
    /// room.
    pub(super) fn publish(&mut self, request: &'a Publication) -> PublishOutcome {
        let mut stored: Vec<store::Stored> = Vec::with_capacity(request.submissions.len());
        let mut rejected = None;
        for (index, submission) in request.submissions.iter().enumerate() {
            let id = submission.event.id;
            let owner = owner_of(&submission.event, self.identity.system);
            if let Some(there) = self.there(owner, submission) {
                match there.repeated_by(submission, owner) {
                    Some(repeat) => stored.push(repeat),
                    None => {
                        rejected = Some(Rejected::Conflict(Conflict { index, id }));
                        break;
                    }
                }
                continue;
            }
            let limit = limit_of(owner, self.identity.system, request);
            if !self.feed(owner).occupy(submission.stored_bytes(), limit) {
                rejected = Some(Rejected::OverQuota { index, owner });
                break;
            }
            stored.push(store::Stored {
                id,
                owner,
                json: submission.json.clone(),
                rev: self.add(owner, submission),
                repeated: false,
                deleted: false,
            });
        }
        let Some(rejected) = rejected else {
            return PublishOutcome::Stored(stored);
        };
        let added = stored.iter().zip(&request.submissions).rev();
        for (one, submission) in added.filter(|(one, _)| !one.repeated) {
            self.take_back(one.owner, submission);
        }
        match rejected {
            Rejected::Conflict(conflict) => PublishOutcome::Conflict(conflict),
            Rejected::OverQuota { index, owner } => PublishOutcome::OverQuota(OverQuota {
                index,
                bytes: request.submissions[index].stored_bytes(),
                used: self.feed(owner).bytes,
                limit: request.quota.unwrap_or(u64::MAX),
            }),
        }
    }

    /// The event as it was stored by this node or another, if the feed has, or had, exactly this one.
    pub(super) fn stored_as(
        &self,
        owner: OwnerId,
        submission: &Submission,
    ) -> Option<store::Stored> {
        let there = self.there(owner, submission)?;
        let is_same = there.digest == submission.digests.of_content
            && there.created_at == submission.event.created_at;
        is_same.then(|| store::Stored {
            id: submission.event.id,
            owner,
            json: submission.json.clone(),
            rev: there.rev,
            repeated: false,
            deleted: false,
        })
    }

    /// The event or tombstone of the feed under the id of an event.
    fn there(&self, owner: OwnerId, submission: &Submission) -> Option<There> {
        let key = (owner, submission.event.id);
        if let Some(event) = self.events.get(&key) {
            let json = match &event.origin {
                EventSource::Database { json, .. } => json.clone().unwrap_or_default(),
                EventSource::Group(first) => first.json.clone(),
            };
            return Some(There {
                rev: event.created_rev,
                created_at: event.created_at,
                json,
                digest: event.digest,
                updated: event.is_updated,
                deleted: false,
            });
        }
        let tombstone = self.tombstones.get(&key)?;
        Some(There::deleted(tombstone.remains, submission))
    }
}
