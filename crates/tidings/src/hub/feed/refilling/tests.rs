//! Hints, repeats, deliveries and refills of a window, in different orders.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use tidings_event::{OwnerId, Rev};

use crate::frame::Frame;
use crate::hub::{Delivery, Finder, FoundFrames, Holes, Hub, Late, Reached, Refilling, Seat};

const WINDOW_LIMIT: usize = 1024 * 1024;

/// A feed with one subscriber, of which other nodes write, too.
struct Scene {
    hub: Arc<Hub>,
    owner: OwnerId,
    seat: Seat,
}

impl Scene {
    /// The subscriber has taken its seat and has not read the store.
    fn of_newcomer() -> Self {
        let hub = Arc::new(Hub::new(WINDOW_LIMIT, Holes::Refill));
        let owner = OwnerId::mint();
        let seat = hub.join(owner, owner);
        Self { hub, owner, seat }
    }

    /// The subscriber has read an empty feed.
    fn live() -> Self {
        let scene = Self::of_newcomer();
        scene.seat.goes_live_from(Rev::ZERO);
        scene
    }

    fn deliver(&self, deliveries: Vec<Delivery>) -> Option<Late> {
        self.hub.deliver(self.owner, deliveries)
    }

    fn hear_of(&self, head: u64) -> bool {
        self.hub.hear_of(self.owner, Rev::new(head), Finder::Hint)
    }

    fn expect(&self, rev: u64) -> Option<Late> {
        self.hub.expect(self.owner, Rev::new(rev))
    }

    /// The feed, if it is in the queue for refills.
    fn next(&self) -> Option<Refilling> {
        self.hub.next_refill().now_or_never().flatten()
    }

    /// Begins the next read, which is about the revs after the first and up to the second number.
    fn begin_read(&self, after: u64, up_to: u64) -> Read {
        let mut feed = self.next().expect("the feed is in the queue");
        let missing = feed.next_missing().expect("something is missing");
        assert_eq!(
            (missing.after, missing.up_to),
            (Rev::new(after), Rev::new(up_to))
        );
        Read { feed, missing }
    }

    /// Asserts that the feed leaves the queue, or has left it.
    fn has_all(&self) {
        if let Some(mut feed) = self.next() {
            assert_eq!(feed.next_missing(), None);
        }
        assert!(self.next().is_none());
    }

    /// The last revs of the frames after `position`, as the subscriber finds them.
    fn found_after(&self, position: u64) -> Vec<u64> {
        match self
            .seat
            .look(Rev::new(position), Reached::default(), usize::MAX)
        {
            FoundFrames::Frames(frames) => frames.into_iter().map(|(last, _)| last.get()).collect(),
            FoundFrames::CaughtUp => Vec::new(),
            FoundFrames::Gap { up_to } => panic!("a gap up to {up_to}"),
        }
    }
}

/// A read of the store that has begun.
struct Read {
    feed: Refilling,
    missing: crate::hub::feed::Missing,
}

impl Read {
    /// Ends it with these revs, when the feed ends at `store_head`. Whether it was useful.
    fn end(self, deliveries: Vec<Delivery>, store_head: u64) -> bool {
        let store_head = Rev::new(store_head);
        self.feed
            .refill(deliveries, self.missing, store_head)
            .is_useful
    }
}

/// A frame for each rev.
fn frames(revs: std::ops::RangeInclusive<u64>) -> Vec<Delivery> {
    revs.flat_map(|rev| step(rev, rev)).collect()
}

/// One frame for all revs.
fn step(first: u64, last: u64) -> Vec<Delivery> {
    let frame = Frame::created(Bytes::from_static(b"{}"));
    vec![Delivery {
        first: Rev::new(first),
        ..Delivery::of_one(Rev::new(last), frame)
    }]
}

fn has_arrived(late: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    late.now_or_never().is_some()
}

#[test]
fn a_repeat_waits_until_the_reader_can_have_the_first() {
    let scene = Scene::live();
    let mut late = pin!(scene.expect(3).expect("another node stored it").arrives());
    assert!(scene.begin_read(0, 3).end(frames(1..=2), 4));
    assert!(!has_arrived(&mut late));
    assert!(scene.begin_read(2, 3).end(frames(3..=3), 4));
    assert!(has_arrived(&mut late));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2, 3]);
    // The window has it now.
    assert!(scene.expect(3).is_none());
    scene.has_all();
}

#[test]
fn a_repeat_before_the_first_snapshot_waits_for_nothing() {
    let scene = Scene::of_newcomer();
    assert!(scene.expect(3).is_none());
    scene.seat.goes_live_from(Rev::new(3));
    scene.has_all();
}

#[test]
fn a_repeat_that_is_given_up_is_read_from_the_store() {
    let scene = Scene::live();
    let mut late = pin!(scene.expect(3).expect("another node stored it").arrives());
    scene.hub.give_up(scene.owner);
    assert!(has_arrived(&mut late));
    let found = scene.seat.look(Rev::ZERO, Reached::default(), usize::MAX);
    assert!(
        matches!(found, FoundFrames::Gap { up_to } if up_to == Rev::new(3)),
        "{found:?}"
    );
}

#[test]
fn a_hint_before_the_first_snapshot_is_remembered() {
    let scene = Scene::of_newcomer();
    assert!(scene.hear_of(5));
    // Nobody knows yet where the window begins.
    assert!(scene.next().is_none());
    scene.seat.goes_live_from(Rev::new(3));
    assert!(scene.begin_read(3, 5).end(frames(4..=5), 5));
    scene.has_all();
    assert_eq!(scene.found_after(3), [4, 5]);
}

#[test]
fn a_hint_of_what_the_first_snapshot_has_costs_no_read() {
    let scene = Scene::of_newcomer();
    assert!(scene.hear_of(5));
    scene.seat.goes_live_from(Rev::new(5));
    assert!(scene.next().is_none());
    assert!(scene.hear_of(6));
    assert!(scene.begin_read(5, 6).end(frames(6..=6), 6));
    assert_eq!(scene.found_after(5), [6]);
}

#[test]
fn a_second_reader_with_an_earlier_snapshot_gets_what_the_first_had() {
    let scene = Scene::of_newcomer();
    let second = scene.hub.join(scene.owner, scene.owner);
    second.goes_live_from(Rev::new(5));
    // The hint is no news to the window.
    assert!(!scene.hear_of(5));
    scene.seat.goes_live_from(Rev::new(3));
    assert!(scene.begin_read(3, 5).end(frames(4..=5), 5));
    scene.has_all();
    assert_eq!(scene.found_after(3), [4, 5]);
}

#[test]
fn a_hint_during_a_read_leads_to_another_read() {
    let scene = Scene::live();
    assert!(scene.hear_of(2));
    let read = scene.begin_read(0, 2);
    assert!(scene.hear_of(5));
    // The feed is in the queue once.
    assert!(scene.next().is_none());
    // The read began before the changes of the second hint.
    assert!(read.end(frames(1..=2), 2));
    assert!(scene.begin_read(2, 5).end(frames(3..=5), 5));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2, 3, 4, 5]);
}

#[test]
fn a_hint_during_a_read_that_finds_nothing_leads_to_another_read() {
    let scene = Scene::live();
    assert!(scene.hear_of(2));
    let read = scene.begin_read(0, 2);
    assert!(scene.hear_of(3));
    assert!(!read.end(Vec::new(), 0));
    // The same once more, without a hint in between: there is no more.
    assert!(!scene.begin_read(0, 3).end(Vec::new(), 0));
    scene.has_all();
}

#[test]
fn a_delivery_during_a_read_comes_once() {
    let scene = Scene::live();
    assert!(scene.hear_of(3));
    let read = scene.begin_read(0, 3);
    assert!(scene.deliver(frames(1..=2)).is_none());
    assert!(read.end(frames(1..=3), 3));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2, 3]);
}

#[test]
fn an_older_read_takes_back_no_delivery() {
    let scene = Scene::live();
    assert!(scene.hear_of(1));
    let read = scene.begin_read(0, 1);
    assert!(scene.deliver(frames(1..=2)).is_none());
    assert!(!read.end(frames(1..=1), 1));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2]);
}

#[test]
fn a_delivery_waits_for_what_comes_before_it() {
    let scene = Scene::live();
    let mut late = pin!(
        scene
            .deliver(step(3, 5))
            .expect("1 and 2 are missing")
            .arrives()
    );
    assert_eq!(scene.found_after(0), [0_u64; 0]);
    assert!(scene.begin_read(0, 2).end(frames(1..=2), 5));
    assert!(has_arrived(&mut late));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2, 5]);
}

#[test]
fn the_rest_of_a_waiting_delivery_is_refilled_if_a_refill_has_a_part() {
    let scene = Scene::live();
    let mut late = pin!(
        scene
            .deliver(step(3, 5))
            .expect("1 and 2 are missing")
            .arrives()
    );
    assert!(scene.begin_read(0, 2).end(frames(1..=4), 5));
    assert!(!has_arrived(&mut late));
    assert!(scene.begin_read(4, 5).end(frames(5..=5), 5));
    assert!(has_arrived(&mut late));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2, 3, 4, 5]);
}

#[test]
fn the_rest_of_a_new_delivery_is_refilled_if_the_window_has_a_part() {
    let scene = Scene::live();
    assert!(scene.hear_of(4));
    assert!(scene.begin_read(0, 4).end(frames(1..=4), 4));
    scene.has_all();
    let mut late = pin!(
        scene
            .deliver(step(3, 6))
            .expect("5 and 6 are missing")
            .arrives()
    );
    assert!(!has_arrived(&mut late));
    assert!(scene.begin_read(4, 6).end(frames(5..=6), 6));
    assert!(has_arrived(&mut late));
    scene.has_all();
    assert_eq!(scene.found_after(0), [1, 2, 3, 4, 5, 6]);
}
