//! Work that waits until there is time for it: steps of bulk changes, and large requests of owners who
//! publish to themselves. The askers take turns.

use std::collections::{HashMap, VecDeque};

use tidings_event::StreamItem;

use super::request::{Asker, Request};

/// A step as large as this fills a turn.
const TURN_WEIGHT: usize = StreamItem::MAX_IDS;

/// The bytes of a publish request that take as long as a change of one event.
const BYTES_PER_CHANGE: usize = 256;

/// How long a request takes to commit, in changes of one event.
fn weight(request: &Request) -> usize {
    match request {
        Request::Change(change) => change.step.targets.len(),
        Request::Publish(publish) => {
            let events = publish.publication.submissions.len();
            events.max(publish.bytes / BYTES_PER_CHANGE)
        }
    }
}

/// Requests by the asker, each in the order in which they came. Their memory counts as the queue's.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Only askers with a request.
    lines: HashMap<Asker, VecDeque<Request>>,
    /// The same askers, the one whose turn it is first.
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

    /// The next turn: one request, or several small ones that weigh no more; and whether an owner asked
    /// for any of them.
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
