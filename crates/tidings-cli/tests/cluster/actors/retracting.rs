//! Retracts events as their publisher, which for their readers is a deletion.

use super::Actor;
use crate::caller::owner;
use crate::history::{Deed, Feed, Key, Scope};

/// How many of the newest events of a feed are retracted most: few, so that retractions meet other changes.
const NEWEST: usize = 4;

impl Actor {
    /// Retracts one event from the inbox of its user. A system event goes from the inboxes of all.
    pub(super) async fn retract(&mut self) {
        let feed = self.feed();
        let chosen = self
            .shared
            .history
            .record()
            .choose_in(feed, NEWEST, &mut self.dice);
        let Some(key) = chosen else {
            return;
        };
        let users = self.shared.caller.users();
        let (name, concerned) = match feed {
            Feed::User(user) => (owner(user).to_string(), user..user + 1),
            Feed::System => ("system".to_owned(), 0..users),
        };
        let now = self.shared.findings.now();
        let actions: Vec<usize> = concerned
            .map(|user| self.begin(user, Deed::Delete, Scope::Keys(vec![key]), now))
            .collect();
        let (door, patience) = (self.door(), self.patience());
        let Key { id, .. } = key;
        let response = self.shared.caller.retract(door, id, &name, patience).await;
        self.check_response(&response, door, now);
        for action in actions {
            self.note_change(action, &response, Some(key));
        }
    }
}
