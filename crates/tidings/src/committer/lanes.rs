//! The lanes: queues whose groups are committed beside each other. All requests of one owner are in one lane, so
//! that they keep their order.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use tidings_event::{EventId, OwnerId};

use super::queue::Queue;
use crate::activity::Activity;
use crate::store::{FanOut, Publication};

#[derive(Debug)]
pub(super) struct LaneQueues {
    queues: Vec<Arc<Queue>>,
    /// With a secret key, so that nobody can choose owners of one lane.
    hasher: RandomState,
}

impl LaneQueues {
    pub(super) fn new(number: usize, activity: &Arc<Activity>) -> Self {
        let queue = || Arc::new(Queue::new(Arc::clone(activity)));
        Self {
            queues: std::iter::repeat_with(queue).take(number.max(1)).collect(),
            hasher: RandomState::new(),
        }
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.iter()
    }

    /// The lane of an owner.
    pub(super) fn queue_of(&self, owner: OwnerId) -> &Queue {
        let number = match self.queues.len() {
            1 => 0,
            lanes => self.hasher.hash_one(owner) % lanes as u64,
        };
        let number = usize::try_from(number).expect("it is less than the number of lanes");
        &self.queues[number]
    }

    /// The lane of the first owner of a batch. For its other owners the batch has no order against requests
    /// that do not wait for its answer.
    pub(super) fn queue_of_batch(&self, publication: &Publication) -> &Queue {
        let first = publication.submissions.first();
        match first.and_then(|first| first.event.owner) {
            Some(owner) => self.queue_of(owner),
            None => &self.queues[0],
        }
    }

    /// The lane of the first owner to whom an event goes. For the others, see [`Self::queue_of_batch`].
    pub(super) fn queue_of_first(&self, fan_out: &FanOut) -> &Queue {
        match fan_out.recipients.first() {
            Some(first) => self.queue_of(first.owner),
            None => &self.queues[0],
        }
    }

    /// The lane for the changes of an event of several owners.
    pub(super) fn queue_of_audience(&self, id: EventId) -> &Queue {
        self.queue_of(OwnerId::from_uuid(*id.as_uuid()))
    }

    pub(super) fn are_closed(&self) -> bool {
        self.queues.iter().any(|queue| queue.is_closed())
    }

    pub(super) fn close(&self) {
        for queue in &self.queues {
            queue.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ptr;

    use super::*;

    #[test]
    fn keeps_an_owner_in_one_lane_and_uses_all_lanes() {
        let lanes = LaneQueues::new(4, &Arc::default());
        let mut used = HashSet::new();
        for _ in 0..200 {
            let owner = OwnerId::mint();
            let queue = ptr::from_ref(lanes.queue_of(owner));
            assert_eq!(queue, ptr::from_ref(lanes.queue_of(owner)));
            used.insert(queue);
        }
        assert_eq!(used.len(), 4);
    }
}
