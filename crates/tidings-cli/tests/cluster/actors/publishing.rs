//! Publishes events: one, several, to several users, and one id through two nodes at once. What gets no response is
//! sent again under the same ids, as clients do.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tidings_event::Severity;
use uuid::Uuid;

use super::{AGAIN, Actor, SEVERITIES};
use crate::caller::{Response, owner};
use crate::findings::Phase;
use crate::history::{Feed, Key};

/// The body of a publish request for each of the contents of its events.
struct Bodies {
    publication: usize,
    contents: Vec<Value>,
}

impl Actor {
    pub(super) async fn publish(&mut self) {
        match self.dice.u8(..10) {
            0..4 => {
                let bodies = self.begin_one(1);
                self.send_until_known(&bodies, 0).await;
            }
            4 | 5 => {
                let feed = self.feed();
                let feeds = vec![feed; self.dice.usize(2..9)];
                self.publish_batch(&feeds, false).await;
            }
            6 | 7 => {
                let is_one_id = self.dice.u8(..4) == 0;
                let mut feeds: Vec<Feed> =
                    (0..self.dice.usize(2..7)).map(|_| self.feed()).collect();
                if is_one_id {
                    feeds.sort_unstable();
                    feeds.dedup();
                    self.dice.shuffle(&mut feeds);
                }
                self.publish_batch(&feeds, is_one_id).await;
            }
            8 => self.publish_twice_at_once(1).await,
            _ => self.publish_twice_at_once(2).await,
        }
    }

    /// Publishes to most feeds in any order. Whichever order the nodes lock them in, it must be the same.
    pub(super) async fn spread(&mut self) {
        let users = self.shared.caller.users();
        let mut feeds: Vec<Feed> = (0..users).map(Feed::User).chain([Feed::System]).collect();
        self.dice.shuffle(&mut feeds);
        feeds.truncate(self.dice.usize(feeds.len() / 2..=feeds.len()));
        self.publish_batch(&feeds, false).await;
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(self.dice.u128(..) & !(0xf << 76) | (4 << 76) & !(0xc << 60) | (8 << 60))
    }

    /// A new event as it is sent with one of several contents.
    fn event(&mut self, key: Key, contents: usize) -> (Severity, Vec<(String, Value)>) {
        self.number += 1;
        let severity = *self.dice.choice(&SEVERITIES).expect("there are some");
        let filler = "x".repeat(self.dice.usize(..200));
        let acted_upon = self.id();
        let to = match key.feed {
            Feed::System => json!("system"),
            Feed::User(user) => json!(owner(user)),
        };
        let of = |content: usize| {
            let description = format!("{}:{}:{content} {filler}", self.name, self.number);
            let event = json!({
                "id": key.id,
                "owner": to,
                "actedUpon": acted_upon,
                "category": "cluster",
                "action": "check",
                "severity": severity,
                "description": description,
            });
            (description, event)
        };
        (severity, (0..contents).map(of).collect())
    }

    /// Records a request with one event, which several publishers send with different contents.
    fn begin_one(&mut self, contents: usize) -> Bodies {
        let key = Key {
            feed: self.feed(),
            id: self.id(),
        };
        let (severity, events) = self.event(key, contents);
        let (descriptions, contents) = events.into_iter().unzip();
        let now = self.shared.findings.now();
        let mut record = self.shared.history.record();
        let publication = record.publish(vec![(key, severity, descriptions)], now);
        Bodies {
            publication,
            contents,
        }
    }

    async fn publish_batch(&mut self, feeds: &[Feed], is_one_id: bool) {
        let shared_id = self.id();
        let (mut events, mut body) = (Vec::new(), Vec::new());
        for feed in feeds {
            let id = if is_one_id { shared_id } else { self.id() };
            let key = Key { feed: *feed, id };
            let (severity, contents) = self.event(key, 1);
            let (descriptions, mut values): (Vec<String>, Vec<Value>) =
                contents.into_iter().unzip();
            events.push((key, severity, descriptions));
            body.append(&mut values);
        }
        let now = self.shared.findings.now();
        let publication = self.shared.history.record().publish(events, now);
        let bodies = Bodies {
            publication,
            contents: vec![Value::Array(body)],
        };
        if self.dice.u8(..8) == 0 {
            // This client does not ask again: all of it is there in the end, or nothing.
            let (door, patience) = (self.door(), self.patience());
            let response = self.send(&bodies, 0, door, patience).await;
            self.note(&bodies, 0, &response);
        } else {
            self.send_until_known(&bodies, 0).await;
        }
    }

    /// Sends one id through two doors at once, with equal or with different contents.
    async fn publish_twice_at_once(&mut self, contents: usize) {
        let bodies = self.begin_one(contents);
        let doors = [self.door(), self.door()];
        let patience = [self.patience(), self.patience()];
        let last = contents - 1;
        let (one, two) = tokio::join!(
            self.send(&bodies, 0, doors[0], patience[0]),
            self.send(&bodies, last, doors[1], patience[1]),
        );
        for (content, response) in [(0, one), (last, two)] {
            if !self.note(&bodies, content, &response) {
                self.send_until_known(&bodies, content).await;
            }
        }
    }

    async fn send(
        &self,
        bodies: &Bodies,
        content: usize,
        door: usize,
        patience: Duration,
    ) -> Response {
        let body = &bodies.contents[content];
        let begun = self.shared.findings.now();
        let response = self.shared.caller.publish(door, body, patience).await;
        self.check_response(&response, door, begun);
        response
    }

    async fn send_until_known(&mut self, bodies: &Bodies, content: usize) {
        loop {
            let (door, patience) = (self.door(), self.patience());
            let response = self.send(bodies, content, door, patience).await;
            if self.note(bodies, content, &response) {
                return;
            }
            let findings = &self.shared.findings;
            if findings.phase() == Phase::Over {
                return;
            }
            let pause = AGAIN.mul_f64(self.dice.f64());
            tokio::time::sleep(pause).await;
        }
    }

    /// Records a response. `false` if the result is unknown.
    fn note(&self, bodies: &Bodies, content: usize, response: &Response) -> bool {
        let findings = &self.shared.findings;
        let now = findings.now();
        let mut record = self.shared.history.record();
        let publication = &mut record.publications[bodies.publication];
        let (status, body) = match response {
            Response::Known(status, body) => (*status, body),
            Response::Unknown(_) => {
                publication.unknown += 1;
                return false;
            }
        };
        let has_rivals = bodies.contents.len() > 1;
        let finding = match status {
            StatusCode::CREATED => {
                publication.created += 1;
                let is_second = publication.created > 1;
                let finding = record.is_stored(bodies.publication, content, now);
                match is_second {
                    true => {
                        Some("one event was stored twice, or its repetition in part".to_owned())
                    }
                    false => finding,
                }
            }
            StatusCode::OK => {
                publication.repeated += 1;
                record.is_stored(bodies.publication, content, now)
            }
            StatusCode::CONFLICT if has_rivals => {
                publication.conflicts += 1;
                None
            }
            StatusCode::TOO_MANY_REQUESTS => {
                publication.unknown += 1;
                return false;
            }
            _ => Some(format!("a publish request got {status}: {body}")),
        };
        drop(record);
        if let Some(finding) = finding {
            findings.report(format_args!(
                "{finding}; publication {} with {}",
                bodies.publication, bodies.contents[content]
            ));
        }
        true
    }
}
