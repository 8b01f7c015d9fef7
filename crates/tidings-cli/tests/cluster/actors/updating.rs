//! Updates events: once, several times in a row, twice at once, and with a number that is already outdated. An update
//! without a response is sent again, as publishers do. Some make an event unread again.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tidings_event::{Event, Warning, WarningCode};

use super::{AGAIN, Actor, SEVERITIES};
use crate::caller::{Response, owner};
use crate::findings::{Moment, Phase};
use crate::history::{Feed, Key, NumberedUpdate};

/// How many of the newest events of a feed are updated most: few, so that updates of one event meet.
const NEWEST: usize = 4;

/// An update with the body of its request.
struct Update {
    numbered: NumberedUpdate,
    body: Value,
    /// Whether an attempt without a response can have taken effect.
    is_repeated: bool,
}

impl Actor {
    pub(super) async fn update(&mut self) {
        let Some(key) = self.choose_to_update() else {
            return;
        };
        match self.dice.u8(..8) {
            0..3 => {
                let mut update = self.begin_update(key);
                if self.dice.u8(..4) == 0 {
                    // This client does not ask again.
                    let (door, patience) = (self.door(), self.patience());
                    self.send_update(&mut update, door, patience).await;
                } else {
                    self.update_until_known(&mut update).await;
                }
            }
            3 | 4 => {
                for _ in 0..self.dice.usize(2..6) {
                    let mut update = self.begin_update(key);
                    self.update_until_known(&mut update).await;
                }
            }
            5 | 6 => {
                let (mut one, mut two) = (self.begin_update(key), self.begin_update(key));
                let doors = [self.door(), self.door()];
                let patience = [self.patience(), self.patience()];
                let are_known = tokio::join!(
                    self.send_update(&mut one, doors[0], patience[0]),
                    self.send_update(&mut two, doors[1], patience[1]),
                );
                for (update, is_known) in [(&mut one, are_known.0), (&mut two, are_known.1)] {
                    if !is_known {
                        self.update_until_known(update).await;
                    }
                }
            }
            _ => {
                let (mut earlier, mut later) = (self.begin_update(key), self.begin_update(key));
                self.update_until_known(&mut later).await;
                self.update_until_known(&mut earlier).await;
            }
        }
    }

    fn choose_to_update(&mut self) -> Option<Key> {
        let feed = self.feed();
        let record = self.shared.history.record();
        record.choose_in(feed, NEWEST, &mut self.dice)
    }

    /// Records an update with the next number of its event.
    fn begin_update(&mut self, key: Key) -> Update {
        let (to, severity, renotify) = match key.feed {
            // Only its texts can change.
            Feed::System => (json!("system"), None, false),
            Feed::User(user) => {
                let severity = self.dice.choice(SEVERITIES).filter(|_| self.dice.bool());
                (json!(owner(user)), severity, self.dice.u8(..8) == 0)
            }
        };
        let now = self.shared.findings.now();
        let mut record = self.shared.history.record();
        let numbered = record.update(key, severity, renotify, now);
        drop(record);
        let mut body = json!({
            "owner": to,
            "severity": numbered.severity,
            "description": numbered.description,
            "sequence": numbered.number,
        });
        if numbered.renotify {
            body["renotify"] = json!(true);
        }
        Update {
            numbered,
            body,
            is_repeated: false,
        }
    }

    async fn update_until_known(&mut self, update: &mut Update) {
        loop {
            let (door, patience) = (self.door(), self.patience());
            if self.send_update(update, door, patience).await
                || self.shared.findings.phase() == Phase::Over
            {
                return;
            }
            let pause = AGAIN.mul_f64(self.dice.f64());
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends an update and records the response. Returns `false` if the result is unknown.
    async fn send_update(&self, update: &mut Update, door: usize, patience: Duration) -> bool {
        let begun = self.shared.findings.now();
        let NumberedUpdate { key, number, .. } = update.numbered;
        let known = self.shared.history.record().sent[&key].updates.acknowledged;
        let caller = &self.shared.caller;
        let response = caller.update(door, key.id, &update.body, patience);
        let response = response.await;
        self.check_response(&response, door, begun);
        let (status, body) = match response {
            Response::Known(StatusCode::TOO_MANY_REQUESTS, _) => return false,
            Response::Unknown(_) => {
                update.is_repeated = true;
                return false;
            }
            Response::Known(status, body) => (status, body),
        };
        let noted = match status {
            StatusCode::OK => self.note_updated(update, known, &body),
            StatusCode::NOT_FOUND => self.note_missing(key, begun),
            _ => Err(format!("got {status}: {body}")),
        };
        if let Err(finding) = noted {
            self.shared.findings.report(format_args!(
                "the update {number} of {key:?} through door {door}, sent at {begun}, {finding}"
            ));
        }
        true
    }

    /// Records the event of a response. `known` is the highest number that was acknowledged before the request.
    fn note_updated(&self, update: &Update, known: u64, body: &Value) -> Result<(), String> {
        let event: Event = serde_json::from_value(body.clone())
            .map_err(|error| format!("got {error} in {body}"))?;
        let warnings: Vec<Warning> = match body.get("warnings") {
            Some(warnings) => serde_json::from_value(warnings.clone())
                .map_err(|error| format!("got {error} in {body}"))?,
            None => Vec::new(),
        };
        let is_outdated = warnings
            .iter()
            .any(|warning| warning.code == WarningCode::Outdated);
        let NumberedUpdate { key, number, .. } = update.numbered;
        let now = self.shared.findings.now();
        let mut record = self.shared.history.record();
        let stored = record.check_seen(key, event.severity, &event.description)?;
        record.is_updated(&update.numbered, stored, !update.is_repeated, now);
        drop(record);
        if stored < number || stored < known {
            return Err(format!(
                "left the update {stored}, after {known} was acknowledged"
            ));
        }
        if is_outdated != (stored > number) {
            return Err(format!("left the update {stored} with {warnings:?}"));
        }
        Ok(())
    }

    /// Checks that an event that was not found can be deleted.
    fn note_missing(&self, key: Key, begun: Moment) -> Result<(), String> {
        let record = self.shared.history.record();
        let can_be = match key.feed {
            // Retention deletes events of the system.
            Feed::System => true,
            Feed::User(user) => record.can_be_missing(user, key, begun),
        };
        match can_be {
            true => Ok(()),
            false => Err("did not find the stored event".to_owned()),
        }
    }
}
