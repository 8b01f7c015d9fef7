//! Marks and deletes events: one, several by their ids, and all that match.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tidings_event::{Severity, Status};

use super::{Actor, SEVERITIES};
use crate::caller::{Response, User};
use crate::findings::Moment;
use crate::history::{Action, Deed, Feed, Key, Outcome, Scope};

/// The most events in a change of several.
const SEVERAL: usize = 12;

impl Actor {
    /// Marks or deletes one event, and reads it on another node once it is acknowledged.
    pub(super) async fn change_one(&mut self, deletes: bool) {
        let user = self.user();
        let Some(key) = self.choose(user) else {
            return;
        };
        let deed = self.deed(deletes);
        let kind = match key.feed {
            Feed::User(_) => "user",
            Feed::System => "system",
        };
        let (method, path, body) = match deed {
            Deed::Delete => (
                Method::DELETE,
                format!("/{}?ownerKind={kind}", key.id),
                None,
            ),
            Deed::Mark(status) => (
                Method::PUT,
                format!("/status/{}?ownerKind={kind}", key.id),
                Some(json!({"status": status})),
            ),
        };
        let now = self.shared.findings.now();
        let action = self.begin(user, deed, Scope::Keys(vec![key]), now);
        let (door, patience) = (self.door(), self.patience());
        let sent = (method, path.as_str());
        let response = self
            .shared
            .caller
            .ask(user, door, sent, body.as_ref(), patience);
        let response = response.await;
        self.check_response(&response, door, now);
        let is_done = self.note_change(action, &response, Some(key));
        if is_done && self.dice.u8(..4) == 0 {
            self.look(user, key, kind).await;
        }
    }

    /// Reads an event on a random node. One that is stored and that nobody deletes is there.
    async fn look(&mut self, user: User, key: Key, kind: &str) {
        let findings = &self.shared.findings;
        let now = findings.now();
        let node = self.shared.caller.node(&mut self.dice);
        let path = format!("/{}?ownerKind={kind}", key.id);
        if let Response::Known(StatusCode::NOT_FOUND, _) =
            self.shared.caller.get(user, node, &path).await
        {
            let can_be = self.shared.history.record().can_be_missing(user, key, now);
            if !can_be {
                findings.report(format_args!("node {node} has not the stored {key:?}"));
            }
        }
    }

    /// Marks or deletes several events.
    pub(super) async fn change_many(&mut self, deletes: bool) {
        let user = self.user();
        let deed = self.deed(deletes);
        let mut covers = self.shared.findings.now();
        let mut body = match deed {
            Deed::Mark(status) => json!({"status": status}),
            Deed::Delete => json!({}),
        };
        let kind = self.dice.u8(..8);
        let scope = if kind == 0 && !deletes {
            body["all"] = json!(true);
            Scope::All(None)
        } else if kind < 3 {
            let severity = match deed {
                Deed::Mark(_) => *self.dice.choice(&SEVERITIES).expect("there are some"),
                Deed::Delete => Severity::Debug,
            };
            let door = self.door();
            let Some(summary) = self.shared.caller.summary(user, door).await else {
                return;
            };
            body["filter"] = json!({"severity": severity});
            body["upTo"] = json!(summary.cursor);
            Scope::All(Some(severity))
        } else {
            let number = self.dice.usize(1..SEVERAL);
            let mut keys: Vec<Key> = (0..number).filter_map(|_| self.choose(user)).collect();
            keys.sort_unstable();
            keys.dedup();
            if keys.is_empty() {
                return;
            }
            let of_system: Vec<&Key> = keys.iter().filter(|key| key.feed == Feed::System).collect();
            body["systemIds"] = of_system.iter().map(|key| json!(key.id)).collect();
            body["ids"] = keys.iter().map(|key| json!(key.id)).collect();
            covers = self.shared.findings.now();
            Scope::Keys(keys)
        };
        let method = match deed {
            Deed::Mark(_) => (Method::PUT, "/status/bulk"),
            Deed::Delete => (Method::DELETE, "/bulk"),
        };
        let action = self.begin(user, deed, scope, covers);
        let (door, patience) = (self.door(), self.patience());
        let begun = self.shared.findings.now();
        let response = self
            .shared
            .caller
            .ask(user, door, method, Some(&body), patience);
        let response = response.await;
        self.check_response(&response, door, begun);
        self.note_change(action, &response, None);
    }

    fn choose(&mut self, user: User) -> Option<Key> {
        self.shared.history.record().choose(user, &mut self.dice)
    }

    fn deed(&mut self, deletes: bool) -> Deed {
        match (deletes, self.dice.u8(..3)) {
            (true, _) => Deed::Delete,
            (false, 0) => Deed::Mark(Status::Unread),
            (false, _) => Deed::Mark(Status::Read),
        }
    }

    pub(super) fn begin(&self, user: User, deed: Deed, scope: Scope, covers: Moment) -> usize {
        let begun = self.shared.findings.now();
        self.shared.history.record().act(Action {
            user,
            deed,
            scope,
            begun,
            covers,
            outcome: Outcome::Unknown,
        })
    }

    /// Records a response to an action on several events, or on `one`. Whether it is acknowledged.
    pub(super) fn note_change(&self, action: usize, response: &Response, one: Option<Key>) -> bool {
        let findings = &self.shared.findings;
        let now = findings.now();
        let (status, body) = match response {
            Response::Known(status, body) => (*status, body),
            Response::Unknown(_) => return false,
        };
        let mut record = self.shared.history.record();
        let begun = record.actions[action].begun;
        let user = record.actions[action].user;
        let (outcome, finding) = match (status, one) {
            (StatusCode::OK | StatusCode::NO_CONTENT, _) => (Outcome::Done(now), None),
            (StatusCode::TOO_MANY_REQUESTS, _) => (Outcome::Refused, None),
            (StatusCode::NOT_FOUND, Some(key)) => {
                record.actions[action].outcome = Outcome::Refused;
                let finding = (!record.can_be_missing(user, key, begun))
                    .then(|| format!("{key:?} is stored and was not found by user {user}"));
                (Outcome::Refused, finding)
            }
            _ => (
                Outcome::Refused,
                Some(format!("a change got {status}: {body}")),
            ),
        };
        record.actions[action].outcome = outcome;
        let text = finding.map(|finding| format!("{finding}; {:?}", record.actions[action]));
        drop(record);
        if let Some(text) = text {
            findings.report(text);
        }
        matches!(outcome, Outcome::Done(_))
    }
}
