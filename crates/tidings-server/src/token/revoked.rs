//! The revoked ids in memory, and the share of them that each caller can take.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use tidings_event::OwnerId;

use super::revocation_list::{self as list, List};
use super::revoke_error::{MAX_ENDED_OF_OWNER, MAX_REVOKED};

/// The part of all revocations that ended sessions leave to operators.
const OPERATORS_RESERVE: usize = MAX_REVOKED / 10;

/// The revoked ids.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    /// The ids in the file.
    pub(super) listed: List,
    /// The ids that calls have revoked. They stay when their line is removed from the file.
    called: HashMap<Box<str>, RevocationCall>,
    /// The number of sessions among them that this user has ended; never 0.
    ended: HashMap<OwnerId, usize>,
}

/// A revocation by a call.
#[derive(Clone, Copy, Debug)]
struct RevocationCall {
    until: Option<Timestamp>,
    by: By,
}

/// The caller that revokes a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Operator,
    /// Its own user, by ending a session.
    Owner(OwnerId),
}

impl By {
    /// The most revoked tokens with which this caller can still revoke another.
    pub(super) const fn room(self) -> usize {
        match self {
            Self::Operator => MAX_REVOKED,
            Self::Owner(_) => MAX_REVOKED - OPERATORS_RESERVE,
        }
    }
}

impl Revoked {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.called.contains_key(id) || self.listed.contains_key(id)
    }

    pub(super) fn has_room_for(&self, by: By) -> bool {
        // Most ids are in both maps. The exact number is counted only if it matters.
        let listed = self.listed.len();
        let only_called = || {
            let ids = self.called.keys();
            ids.filter(|id| !self.listed.contains_key(*id)).count()
        };
        self.called.len() + listed < by.room() || only_called() + listed < by.room()
    }

    pub(super) fn has_used_share(&self, by: By) -> bool {
        match by {
            By::Operator => false,
            By::Owner(owner) => {
                let ended = self.ended.get(&owner).copied();
                ended.unwrap_or_default() >= MAX_ENDED_OF_OWNER
            }
        }
    }

    pub(super) fn add(&mut self, id: Box<str>, until: Option<Timestamp>, by: By) {
        match self.called.entry(id) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.until = list::longer(known.until, until);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(RevocationCall { until, by });
                if let By::Owner(owner) = by {
                    *self.ended.entry(owner).or_default() += 1;
                }
            }
        }
    }

    /// Drops the ids of tokens that have expired.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let ended = &mut self.ended;
        self.called.retain(|_, call| {
            let stays = list::is_needed(call.until, now);
            if let (false, By::Owner(owner)) = (stays, call.by) {
                match ended.get_mut(&owner) {
                    Some(number) if *number > 1 => *number -= 1,
                    _ => {
                        ended.remove(&owner);
                    }
                }
            }
            stays
        });
        self.listed.retain(|_, until| list::is_needed(*until, now));
    }
}
