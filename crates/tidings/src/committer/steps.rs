//! Steps of changes that were set aside: those who asked for them take turns.

use std::collections::{HashMap, VecDeque};

use tidings_event::StreamItem;

use super::{Asker, Request};

/// Steps by the asker, each in the order in which they came. Their memory counts as the queue's.
#[derive(Default)]
pub(super) struct Steps {
    /// Only askers with a step.
    lines: HashMap<Asker, VecDeque<Request>>,
    /// The same askers, the one whose turn it is first.
    ring: VecDeque<Asker>,
}

impl Steps {
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    pub(super) fn push(&mut self, asker: Asker, step: Request) {
        let line = self.lines.entry(asker).or_default();
        if line.is_empty() {
            self.ring.push_back(asker);
        }
        line.push_back(step);
    }

    /// Moves the next step into a group, or several small ones that make no more; whether an owner asked
    /// for any of them.
    pub(super) fn move_some(&mut self, group: &mut Vec<Request>) -> bool {
        let (mut changed, mut is_of_owner) = (0, false);
        while let Some(asker) = self.ring.front().copied() {
            let Some(line) = self.lines.get_mut(&asker) else {
                self.ring.pop_front();
                continue;
            };
            let named = line.front().map_or(0, |step| step.work.size().1);
            if changed > 0 && changed + named > StreamItem::MAX_IDS {
                break;
            }
            changed += named;
            is_of_owner |= matches!(asker, Asker::Owner(_));
            group.extend(line.pop_front());
            self.ring.pop_front();
            if line.is_empty() {
                self.lines.remove(&asker);
            } else {
                self.ring.push_back(asker);
            }
        }
        is_of_owner
    }
}
