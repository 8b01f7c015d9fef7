//! The updates of an event. Each has a number, which is its `sequence` and ends its description.

use super::{Feed, Key, Record};
use crate::caller::User;

/// Separates a description from the number of the update that it has.
const SEPARATOR: char = '|';

/// The updates of one event, whose numbers are 1, 2, 3 and so on in the order in which they begin.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Updates {
    /// The number of the last update that was sent; 0 before the first.
    pub(crate) sent: u64,
    /// The highest number that a node has reported as stored.
    pub(crate) acknowledged: u64,
}

impl Record {
    /// Records an update of a stored event. Returns its number and its description.
    pub(crate) fn update(&mut self, key: Key) -> (u64, String) {
        let sent = self.sent.get_mut(&key).expect("it was recorded");
        let (_, content) = sent.stored.expect("a stored event is chosen");
        sent.updates.sent += 1;
        let number = sent.updates.sent;
        *self.updated.entry(key.feed).or_default() += 1;
        let description = format!("{}{SEPARATOR}{number}", sent.contents[content]);
        (number, description)
    }

    /// Records that a node has reported an update as stored.
    pub(crate) fn is_updated(&mut self, key: Key, number: u64) {
        let sent = self.sent.get_mut(&key).expect("it was recorded");
        sent.updates.acknowledged = sent.updates.acknowledged.max(number);
    }

    /// How many updates of events of a feed have begun.
    pub(crate) fn updates_of(&self, feed: Feed) -> u64 {
        self.updated.get(&feed).copied().unwrap_or_default()
    }

    /// Whether a user has asked to delete an event.
    pub(crate) fn can_be_deleted(&self, user: User, key: Key) -> bool {
        self.actions_on(user, key, self.sent[&key].severity)
            .any(|action| action.deed == super::Deed::Delete)
    }
}

/// The description as it was published, and the number of the last update; 0 without an update.
pub(super) fn read(description: &str) -> Result<(&str, u64), String> {
    match description.rsplit_once(SEPARATOR) {
        None => Ok((description, 0)),
        Some((published, number)) => match number.parse() {
            Ok(number @ 1..) => Ok((published, number)),
            Ok(0) | Err(_) => Err(format!("{description:?} ends with no number of an update")),
        },
    }
}
