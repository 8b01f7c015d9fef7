//! The requests that were sent, with their results. A request is recorded before it is sent, so that a reader
//! never sees an event that is not in the history.

mod updates;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use tidings_event::{Severity, Status};
use uuid::Uuid;

use crate::caller::User;
use crate::findings::Moment;
pub(crate) use updates::{NumberedUpdate, Updates};

/// A feed that events are published to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Feed {
    User(User),
    System,
}

/// An event: an id can be in several feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) feed: Feed,
    pub(crate) id: Uuid,
}

/// An event as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) severity: Severity,
    /// The descriptions under this id: several if publishers contend for it.
    pub(crate) contents: Vec<String>,
    /// When it was sent first.
    pub(crate) begun: Moment,
    /// When it was first known to be stored, and which content.
    pub(crate) stored: Option<(Moment, usize)>,
    pub(crate) updates: Updates,
}

/// The events of one publish request, which is stored whole or not at all, and the responses to all its repetitions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Publication {
    pub(crate) keys: Vec<Key>,
    /// Responses with 201: this request stored it.
    pub(crate) created: u32,
    /// Responses with 200: it was stored before.
    pub(crate) repeated: u32,
    /// Responses with 409: another event has the id.
    pub(crate) conflicts: u32,
    /// Requests without a response.
    pub(crate) unknown: u32,
}

/// A user's change of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Mark(Status),
    Delete,
}

/// The events that a request is about.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    Keys(Vec<Key>),
    /// All of the user, or all with a severity.
    All(Option<Severity>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It may have taken effect, and may yet.
    Unknown,
    Done(Moment),
    Refused,
}

/// A request that marks or deletes.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) user: User,
    pub(crate) deed: Deed,
    pub(crate) scope: Scope,
    pub(crate) begun: Moment,
    /// It concerns events that were known to be stored before this moment; later ones perhaps.
    pub(crate) covers: Moment,
    pub(crate) outcome: Outcome,
}

/// The record, shared by all actors and followers.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Record>);

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) sent: HashMap<Key, Sent>,
    pub(crate) publications: Vec<Publication>,
    pub(crate) actions: Vec<Action>,
    /// The actions that name an event.
    naming: HashMap<(User, Key), Vec<usize>>,
    /// The actions of a user that name none.
    sweeping: HashMap<User, Vec<usize>>,
    /// The events that a user had in the end.
    pub(crate) present: HashSet<Key>,
    /// The stored events of each feed, in the order of their responses.
    stored: HashMap<Feed, Vec<Key>>,
    /// How many updates of events of each feed have begun.
    updated: HashMap<Feed, u64>,
}

impl History {
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().expect("no panic")
    }
}

impl Record {
    /// Records a publish request. Each key has a severity and the contents that are sent under it.
    pub(crate) fn publish(
        &mut self,
        events: Vec<(Key, Severity, Vec<String>)>,
        begun: Moment,
    ) -> usize {
        let publication = self.publications.len();
        self.publications.push(Publication {
            keys: events.iter().map(|(key, ..)| *key).collect(),
            ..Publication::default()
        });
        for (key, severity, contents) in events {
            let sent = Sent {
                severity,
                contents,
                begun,
                stored: None,
                updates: Updates::default(),
            };
            assert!(self.sent.insert(key, sent).is_none(), "ids are new");
        }
        publication
    }

    /// Records that the events of a publication are stored, with this one of their contents. Returns a finding
    /// if another content was acknowledged before.
    pub(crate) fn is_stored(
        &mut self,
        publication: usize,
        content: usize,
        now: Moment,
    ) -> Option<String> {
        let mut finding = None;
        for key in self.publications[publication].keys.clone() {
            let sent = self.sent.get_mut(&key).expect("it was recorded");
            match sent.stored {
                Some((at, other)) if other != content => {
                    finding = Some(format!(
                        "{key:?} was acknowledged with content {other} at {at} and now with {content}"
                    ));
                }
                Some(_) => {}
                None => {
                    sent.stored = Some((now, content));
                    self.stored.entry(key.feed).or_default().push(key);
                }
            }
        }
        finding
    }

    /// Records a request that marks or deletes.
    pub(crate) fn act(&mut self, action: Action) -> usize {
        let number = self.actions.len();
        match &action.scope {
            Scope::Keys(keys) => {
                for key in keys {
                    let naming = self.naming.entry((action.user, *key)).or_default();
                    naming.push(number);
                }
            }
            Scope::All(_) => self.sweeping.entry(action.user).or_default().push(number),
        }
        self.actions.push(action);
        number
    }

    /// All actions of a user that can concern an event and were not refused.
    pub(crate) fn actions_on(&self, user: User, key: Key) -> impl Iterator<Item = &Action> {
        let sent = &self.sent[&key];
        let naming = self.naming.get(&(user, key)).into_iter().flatten();
        let sweeping = self.sweeping.get(&user).into_iter().flatten();
        naming
            .chain(sweeping)
            .map(|number| &self.actions[*number])
            .filter(move |action| match action.scope {
                Scope::All(Some(only)) => sent.can_have(only),
                Scope::All(None) | Scope::Keys(_) => true,
            })
            .filter(|action| action.outcome != Outcome::Refused)
    }

    /// Whether a user can be told that there is no such event at a moment: it was not known to be stored then, or
    /// somebody may have deleted it.
    pub(crate) fn can_be_missing(&self, user: User, key: Key, at: Moment) -> bool {
        let sent = &self.sent[&key];
        let was_stored = sent.stored.is_some_and(|(stored, _)| stored < at);
        // Retention deletes events of the system.
        !was_stored || key.feed == Feed::System || self.can_be_deleted(user, key)
    }

    /// A stored event that a user can see, more often a new one.
    pub(crate) fn choose(&self, user: User, dice: &mut fastrand::Rng) -> Option<Key> {
        let feed = if dice.u8(..10) < 3 {
            Feed::System
        } else {
            Feed::User(user)
        };
        self.choose_in(feed, 20, dice)
    }

    /// A stored event of a feed, half the time one of the newest.
    pub(crate) fn choose_in(
        &self,
        feed: Feed,
        newest: usize,
        dice: &mut fastrand::Rng,
    ) -> Option<Key> {
        let stored = self.stored.get(&feed)?;
        let newest = if dice.bool() { newest } else { stored.len() };
        let first = stored.len().saturating_sub(newest);
        dice.choice(&stored[first..]).copied()
    }

    /// Checks that an event that a user sees is one that was sent to this user. Returns the number of its last
    /// update.
    pub(crate) fn check_seen(
        &self,
        key: Key,
        severity: Severity,
        description: &str,
    ) -> Result<u64, String> {
        let Some(sent) = self.sent.get(&key) else {
            return Err(format!("nobody sent {key:?}"));
        };
        let (published, number) = updates::read(description)?;
        let content = sent.contents.iter().position(|one| one == published);
        let Some(sent_severity) = sent.severity_after(number) else {
            return Err(format!(
                "{key:?} has the update {number}, which was not sent"
            ));
        };
        if content.is_none() || sent_severity != severity {
            return Err(format!(
                "{key:?} was not sent with {severity} and {description:?}"
            ));
        }
        match sent.stored {
            Some((_, acknowledged)) if content != Some(acknowledged) => {
                Err(format!("{key:?} has not the content that was acknowledged"))
            }
            _ => Ok(number),
        }
    }
}
