//! Updates events: once, several times in a row, twice at once, and with a number that is already outdated. An update
//! without a response is sent again, as publishers do.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tidings_event::{Event, Warning, WarningCode};

use super::{AGAIN, Actor};
use crate::caller::{Response, owner};
use crate::findings::{Moment, Phase};
use crate::history::{Feed, Key};

/// How many of the newest events of a feed are updated most: few, so that updates of one event meet.
const NEWEST: usize = 4;

/// An update as it is sent each time.
struct Update {
    key: Key,
    number: u64,
    body: Value,
}

impl Actor {
    pub(super) async fn update(&mut self) {
        let Some(key) = self.choose_to_update() else {
            return;
        };
        match self.dice.u8(..8) {
            0..3 => {
                let update = self.begin_update(key);
                if self.dice.u8(..4) == 0 {
                    // This client does not ask again.
                    let (door, patience) = (self.door(), self.patience());
                    self.send_update(&update, door, patience).await;
                } else {
                    self.update_until_known(&update).await;
                }
            }
            3 | 4 => {
                for _ in 0..self.dice.usize(2..6) {
                    let update = self.begin_update(key);
                    self.update_until_known(&update).await;
                }
            }
            5 | 6 => {
                let updates = [self.begin_update(key), self.begin_update(key)];
                let doors = [self.door(), self.door()];
                let patience = [self.patience(), self.patience()];
                let are_known = tokio::join!(
                    self.send_update(&updates[0], doors[0], patience[0]),
                    self.send_update(&updates[1], doors[1], patience[1]),
                );
                for (update, is_known) in updates.iter().zip([are_known.0, are_known.1]) {
                    if !is_known {
                        self.update_until_known(update).await;
                    }
                }
            }
            _ => {
                let (earlier, later) = (self.begin_update(key), self.begin_update(key));
                self.update_until_known(&later).await;
                self.update_until_known(&earlier).await;
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
        let mut record = self.shared.history.record();
        let (number, description) = record.update(key);
        let severity = record.sent[&key].severity;
        drop(record);
        let to = match key.feed {
            Feed::System => json!("system"),
            Feed::User(user) => json!(owner(user)),
        };
        let body = json!({
            "owner": to,
            "severity": severity,
            "description": description,
            "sequence": number,
        });
        Update { key, number, body }
    }

    async fn update_until_known(&mut self, update: &Update) {
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
    async fn send_update(&self, update: &Update, door: usize, patience: Duration) -> bool {
        let begun = self.shared.findings.now();
        let known = self.shared.history.record().sent[&update.key]
            .updates
            .acknowledged;
        let caller = &self.shared.caller;
        let response = caller.update(door, update.key.id, &update.body, patience);
        let response = response.await;
        self.check_response(&response, door, begun);
        let (status, body) = match response {
            Response::Known(StatusCode::TOO_MANY_REQUESTS, _) | Response::Unknown(_) => {
                return false;
            }
            Response::Known(status, body) => (status, body),
        };
        let noted = match status {
            StatusCode::OK => self.note_updated(update, known, &body),
            StatusCode::NOT_FOUND => self.note_missing(update, begun),
            _ => Err(format!("got {status}: {body}")),
        };
        if let Err(finding) = noted {
            self.shared.findings.report(format_args!(
                "the update {} of {:?} through door {door}, sent at {begun}, {finding}",
                update.number, update.key
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
        let mut record = self.shared.history.record();
        let stored = record.check_seen(update.key, event.severity, &event.description)?;
        record.is_updated(update.key, stored);
        drop(record);
        if stored < update.number || stored < known {
            return Err(format!(
                "left the update {stored}, after {known} was acknowledged"
            ));
        }
        if is_outdated != (stored > update.number) {
            return Err(format!("left the update {stored} with {warnings:?}"));
        }
        Ok(())
    }

    /// Checks that an event that was not found can be deleted.
    fn note_missing(&self, update: &Update, begun: Moment) -> Result<(), String> {
        let record = self.shared.history.record();
        let can_be = match update.key.feed {
            // Retention deletes events of the system.
            Feed::System => true,
            Feed::User(user) => record.can_be_missing(user, update.key, begun),
        };
        match can_be {
            true => Ok(()),
            false => Err("did not find the stored event".to_owned()),
        }
    }
}
