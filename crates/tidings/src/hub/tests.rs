//! Windows, seats and their bells.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidings_event::wire::Epoch;
use tidings_event::{CountDelta, Cursor, CursorTag, EventId, Severity, Status, StreamItem};

use super::*;
use crate::ended_overlay::EndedOverlay;
use crate::frame::{Frame, StreamFrame};

fn frames(revs: std::ops::RangeInclusive<u64>, bytes: usize) -> Vec<Delivery> {
    let frame = Frame::created(Bytes::from(vec![b'x'; bytes]));
    revs.map(|rev| Delivery::of_one(Rev::new(rev), frame.clone()))
        .collect()
}

/// One frame for several revs.
fn range(first: u64, last: u64, system: u64) -> Vec<Delivery> {
    let [one] = frames(last..=last, 10).try_into().unwrap();
    vec![Delivery {
        first: Rev::new(first),
        system: Rev::new(system),
        ..one
    }]
}

/// Looks, and moves past what it finds.
fn take(seat: &Seat, position: u64, budget_bytes: usize) -> FoundFrames {
    let found = seat.look(Rev::new(position), Reached::default(), budget_bytes);
    if let FoundFrames::Frames(frames) = &found
        && let Some((last, _)) = frames.last()
    {
        seat.moved_to(*last);
    }
    found
}

fn revs(found: FoundFrames) -> Vec<u64> {
    match found {
        FoundFrames::Frames(frames) => frames.into_iter().map(|(last, _)| last.get()).collect(),
        other => panic!("{other:?}"),
    }
}

fn hub_and_owner() -> (Arc<Hub>, OwnerId) {
    (
        Arc::new(Hub::new(WINDOW_LIMIT, Holes::Skip)),
        OwnerId::mint(),
    )
}

const ALL: usize = usize::MAX;

const WINDOW_LIMIT: usize = 1024 * 1024;

#[test]
fn makes_no_frame_without_a_subscriber() {
    let (hub, owner) = hub_and_owner();
    let made = std::cell::Cell::new(false);
    let deliveries = || frames(1..=1, 10).into_iter().inspect(|_| made.set(true));
    hub.deliver(owner, deliveries());
    assert!(!made.get());
    let _seat = hub.join(owner, owner);
    hub.deliver(owner, deliveries());
    assert!(made.get());
}

#[test]
fn a_seat_takes_the_frames_after_its_position() {
    let (hub, owner) = hub_and_owner();
    let first = hub.join(owner, owner);
    let second = hub.join(owner, owner);
    assert!(matches!(take(&first, 6, ALL), FoundFrames::CaughtUp));
    hub.deliver(owner, frames(5..=8, 10));
    assert_eq!(revs(take(&first, 6, ALL)), [7, 8]);
    assert!(matches!(take(&first, 8, ALL), FoundFrames::CaughtUp));
    assert!(matches!(take(&second, 9, ALL), FoundFrames::CaughtUp));
}

#[test]
fn frames_before_the_window_are_a_gap() {
    let (hub, owner) = hub_and_owner();
    let seat = hub.join(owner, owner);
    hub.deliver(owner, frames(5..=6, 10));
    assert!(matches!(take(&seat, 2, ALL), FoundFrames::Gap { up_to } if up_to == Rev::new(4)));
    // After a hole in the deliveries, a subscriber reads the store up to it.
    hub.deliver(owner, frames(9..=9, 10));
    assert!(matches!(take(&seat, 5, ALL), FoundFrames::Gap { up_to } if up_to == Rev::new(8)));
    assert_eq!(revs(take(&seat, 8, ALL)), [9]);
    // A repeated delivery changes nothing.
    hub.deliver(owner, frames(7..=9, 10));
    assert!(matches!(take(&seat, 9, ALL), FoundFrames::CaughtUp));
}

#[test]
fn a_frame_can_cover_several_revs() {
    let (hub, owner) = hub_and_owner();
    let seat = hub.join(owner, owner);
    hub.deliver(owner, frames(4..=4, 10));
    hub.deliver(owner, range(5, 9, 0));
    hub.deliver(owner, frames(10..=10, 10));
    assert_eq!(revs(take(&seat, 3, ALL)), [4, 9, 10]);
    // A subscriber that has a part of it reads the rest from the store.
    let _other = hub.join(owner, owner);
    hub.deliver(owner, range(11, 15, 0));
    assert!(matches!(take(&seat, 12, ALL), FoundFrames::Gap { up_to } if up_to == Rev::new(15)));
}

#[test]
fn content_in_the_store_is_a_gap() {
    let (hub, owner) = hub_and_owner();
    let seat = hub.join(owner, owner);
    hub.deliver(owner, frames(1..=2, 10));
    let mut differs = range(3, 5, 0);
    differs[0].content = Content::InStore;
    hub.deliver(owner, differs);
    assert!(matches!(take(&seat, 1, ALL), FoundFrames::Gap { up_to } if up_to == Rev::new(5)));
    hub.deliver(owner, frames(6..=6, 10));
    assert!(matches!(take(&seat, 1, ALL), FoundFrames::Gap { up_to } if up_to == Rev::new(5)));
    assert_eq!(revs(take(&seat, 5, ALL)), [6]);
}

#[test]
fn a_frame_about_a_system_event_waits_for_the_event() {
    let (hub, owner) = hub_and_owner();
    let seat = hub.join(owner, owner);
    hub.deliver(owner, frames(1..=1, 10));
    hub.deliver(owner, range(2, 2, 7));
    hub.deliver(owner, frames(3..=3, 10));
    let at = |position, system| {
        let reached = Reached {
            system: Rev::new(system),
            ..Reached::default()
        };
        seat.look(Rev::new(position), reached, ALL)
    };
    assert_eq!(revs(at(0, 6)), [1]);
    assert_eq!(revs(at(1, 6)), [0_u64; 0]);
    assert_eq!(revs(at(1, 7)), [2, 3]);
}

#[test]
fn the_deletion_of_a_system_event_has_the_counts_of_its_reader() {
    let hub = Arc::new(Hub::new(WINDOW_LIMIT, Holes::Skip));
    let [system, read, deleted, other] = [(); 4].map(|()| OwnerId::mint());
    let overlay = |owner, status| EndedOverlay {
        owner,
        changed_rev: Rev::new(5),
        severity: Severity::Error,
        status,
    };
    let overlays = [overlay(read, Some(Status::Read)), overlay(deleted, None)];
    let mut counts = CountDelta::default();
    counts.add(Status::Unread, Severity::Error, -1);
    let deletion = SystemDeletion::new(vec![EventId::mint()], counts, &overlays);
    let seats = [read, deleted, other].map(|reader| hub.join(system, reader));
    let delivery = Delivery {
        first: Rev::new(1),
        last: Rev::new(1),
        system: Rev::ZERO,
        content: Content::PerReader(Arc::new(deletion)),
    };
    hub.deliver(system, vec![delivery]);
    for (seat, expected) in seats.iter().zip([(0, -1), (0, 0), (-1, 0)]) {
        let take = |own| {
            let reached = Reached {
                own: Rev::new(own),
                system: Rev::ZERO,
            };
            seat.look(Rev::ZERO, reached, ALL)
        };
        // A subscriber with an overlay must have reached it.
        if expected != (-1, 0) {
            assert_eq!(revs(take(4)), [0_u64; 0]);
        }
        let own = if expected == (-1, 0) { 4 } else { 5 };
        let FoundFrames::Frames(frames) = take(own) else {
            panic!("the window has the frame");
        };
        let cursor = Cursor {
            own: Rev::new(5),
            system: Rev::new(1),
            tag: CursorTag::derive(Epoch::mint(), system),
        };
        let Some(StreamItem::Deleted { deletion, .. }) =
            StreamFrame::new(cursor, frames[0].1.clone()).item()
        else {
            panic!("it is a deletion");
        };
        let counts = deletion.counts.unwrap();
        let of = |deltas: &BTreeMap<Severity, i64>| deltas.values().sum::<i64>();
        assert_eq!((of(&counts.unread), of(&counts.read)), expected);
    }
}

#[test]
fn a_frame_larger_than_the_window_is_a_gap() {
    let (hub, owner) = hub_and_owner();
    let seat = hub.join(owner, owner);
    hub.deliver(owner, frames(1..=1, WINDOW_LIMIT + 1));
    assert!(matches!(take(&seat, 0, ALL), FoundFrames::Gap { up_to } if up_to == Rev::new(1)));
    assert!(matches!(take(&seat, 1, ALL), FoundFrames::CaughtUp));
}

#[test]
fn bounds_one_window() {
    let (hub, owner) = hub_and_owner();
    let _seat = hub.join(owner, owner);
    for rev in 1..=100_u64 {
        hub.deliver(owner, frames(rev..=rev, 100_000));
    }
    let bytes = hub.window_bytes.load(Ordering::Relaxed);
    assert!(bytes <= WINDOW_LIMIT, "{bytes}");
    assert!(bytes > WINDOW_LIMIT / 2, "{bytes}");
}

#[test]
fn bounds_all_windows_together() {
    let hub = Arc::new(Hub::new(WINDOW_LIMIT, Holes::Skip));
    let owners: Vec<_> = (0..200).map(|_| OwnerId::mint()).collect();
    let seats: Vec<_> = owners
        .iter()
        .map(|owner| hub.join(*owner, *owner))
        .collect();
    for owner in &owners {
        hub.deliver(*owner, frames(1..=100, 10_000));
    }
    let bytes = hub.window_bytes.load(Ordering::Relaxed);
    assert!(
        bytes <= feed::ALL_WINDOWS_BYTES + WINDOW_LIMIT + seats.len() * feed::TIGHT_WINDOW_BYTES,
        "{bytes}"
    );
    drop(seats);
    assert_eq!(hub.window_bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn empties_a_window_that_all_seats_have_taken() {
    let (hub, owner) = hub_and_owner();
    let first = hub.join(owner, owner);
    let second = hub.join(owner, owner);
    hub.deliver(owner, frames(1..=3, 10));
    assert_eq!(revs(take(&first, 0, ALL)), [1, 2, 3]);
    assert!(hub.window_bytes.load(Ordering::Relaxed) > 0);
    // A part is not all.
    assert_eq!(revs(take(&second, 0, 1)), [1]);
    assert!(hub.window_bytes.load(Ordering::Relaxed) > 0);
    assert_eq!(revs(take(&second, 1, ALL)), [2, 3]);
    assert_eq!(hub.window_bytes.load(Ordering::Relaxed), 0);
    // It continues after that.
    hub.deliver(owner, frames(4..=4, 10));
    assert_eq!(revs(take(&first, 3, ALL)), [4]);
}

#[test]
fn shows_only_the_last_texts_of_an_event_that_wait() {
    let (hub, owner) = hub_and_owner();
    let [fast, slow] = [hub.join(owner, owner), hub.join(owner, owner)];
    let [one, other] = [EventId::mint(), EventId::mint()];
    let texts = |rev, id| frames(rev..=rev, 10).remove(0).of_texts(id);
    let counted = |rev| frames(rev..=rev, 10).remove(0);
    hub.deliver(owner, vec![texts(1, one), texts(2, other)]);
    assert_eq!(revs(take(&fast, 0, ALL)), [1, 2]);
    hub.deliver(owner, vec![texts(3, one), counted(4), texts(5, one)]);
    hub.deliver(owner, vec![texts(6, other)]);
    assert_eq!(revs(take(&fast, 2, ALL)), [4, 5, 6]);
    assert_eq!(revs(take(&slow, 0, ALL)), [4, 5, 6]);
    // A frame beyond the limit of a take replaces no frame within it.
    let (hub, owner) = hub_and_owner();
    let slow = hub.join(owner, owner);
    hub.deliver(owner, vec![texts(1, one), counted(2), texts(3, one)]);
    assert_eq!(revs(take(&slow, 0, 110)), [1, 2]);
    assert_eq!(revs(take(&slow, 2, ALL)), [3]);
}

#[test]
fn keeps_frames_that_were_seen_and_not_passed() {
    let (hub, owner) = hub_and_owner();
    let seat = hub.join(owner, owner);
    hub.deliver(owner, frames(1..=3, 10));
    let look = |position| seat.look(Rev::new(position), Reached::default(), ALL);
    assert_eq!(revs(look(0)), [1, 2, 3]);
    seat.moved_to(Rev::new(1));
    assert_eq!(revs(look(1)), [2, 3]);
    seat.moved_to(Rev::new(3));
    assert_eq!(hub.window_bytes.load(Ordering::Relaxed), 0);
}

/// Counts how often each token is woken.
#[derive(Debug, Default)]
struct Rung(Mutex<BTreeMap<usize, usize>>);

impl FollowerWaker for Rung {
    fn wake(&self, token: usize) {
        *self.0.lock().unwrap().entry(token).or_default() += 1;
    }
}

#[test]
fn rings_once_until_the_seat_has_caught_up() {
    let (hub, owner) = hub_and_owner();
    let rung = Arc::new(Rung::default());
    let seats = [0, 1].map(|token| {
        let seat = hub.join(owner, owner);
        let waker = Arc::clone(&rung) as _;
        seat.set_bell(Bell { waker, token });
        seat
    });
    let times = || rung.0.lock().unwrap().values().copied().collect::<Vec<_>>();
    hub.deliver(owner, frames(1..=1, 10));
    hub.deliver(owner, frames(2..=2, 10));
    assert_eq!(times(), [1, 1]);
    assert_eq!(revs(take(&seats[0], 0, ALL)), [1, 2]);
    // The other one has taken a part.
    assert_eq!(revs(take(&seats[1], 0, 1)), [1]);
    hub.deliver(owner, frames(3..=3, 10));
    assert_eq!(times(), [2, 1]);
    // The end is for all.
    hub.close();
    assert_eq!(times(), [3, 2]);
}

#[test]
fn removes_a_feed_with_its_last_seat() {
    let (hub, owner) = hub_and_owner();
    let first = hub.join(owner, owner);
    let second = hub.join(owner, owner);
    hub.deliver(owner, frames(1..=3, 10));
    assert_eq!(revs(take(&first, 0, ALL)), [1, 2, 3]);
    drop(second);
    assert_eq!(
        hub.window_bytes.load(Ordering::Relaxed),
        0,
        "the one behind has left"
    );
    drop(first);
    assert!(hub.feeds().is_empty());
    hub.deliver(owner, frames(4..=4, 10));
    assert_eq!(hub.window_bytes.load(Ordering::Relaxed), 0);
}
