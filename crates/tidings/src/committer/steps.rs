//! The deferred requests: steps of bulk changes, and large requests of owners who publish to themselves.
//! The askers take turns.

use std::collections::{HashMap, VecDeque};

use tidings_event::StreamItem;

use super::request::{Asker, Request};

/// The weight of a full turn: one step of the maximum size.
const TURN_WEIGHT: usize = StreamItem::MAX_IDS;

/// The number of bytes of a publish request that take as long to commit as a change of one event.
const BYTES_PER_CHANGE: usize = 256;

/// The time to commit a request, in units of a change of one event.
fn weight(request: &Request) -> usize {
    match request {
        Request::Change(change) => change.step.targets.len(),
        Request::FanOut(request) => request.fan_out.recipients.len(),
        Request::Audience(_) | Request::Update(_) => 1,
        Request::Publish(publish) => {
            let events = publish.publication.submissions.len();
            events.max(publish.bytes / BYTES_PER_CHANGE)
        }
    }
}

/// The deferred requests of each asker, in order of arrival. Their memory counts towards the queue.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// The requests by asker. Contains only askers with at least one request.
    lines: HashMap<Asker, VecDeque<Request>>,
    /// The same askers in the order of their turns.
    ring: VecDeque<Asker>,
}

impl Steps {
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    pub(super) fn push(&mut self, asker: Asker, request: Request) {
        let line = self.lines.entry(asker).or_default();
        if line.is_empty() {
            self.ring.push_back(asker);
        }
        line.push_back(request);
    }

    /// Takes the next turn: one request, or several small ones up to [`TURN_WEIGHT`]. The flag is true if at
    /// least one of them is from an owner.
    pub(super) fn next_turn(&mut self) -> (Vec<Request>, bool) {
        let (mut turn, mut turn_weight, mut is_of_owner) = (Vec::new(), 0, false);
        while let Some(asker) = self.ring.front().copied() {
            let Some(line) = self.lines.get_mut(&asker) else {
                self.ring.pop_front();
                continue;
            };
            let weight = line.front().map_or(0, weight);
            if turn_weight > 0 && turn_weight + weight > TURN_WEIGHT {
                break;
            }
            turn_weight += weight;
            is_of_owner |= matches!(asker, Asker::Owner(_));
            turn.extend(line.pop_front());
            self.ring.pop_front();
            if line.is_empty() {
                self.lines.remove(&asker);
            } else {
                self.ring.push_back(asker);
            }
        }
        (turn, is_of_owner)
    }
}
