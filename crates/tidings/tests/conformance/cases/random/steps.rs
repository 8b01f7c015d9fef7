//! The steps of a history, and how often each is taken.

use proptest::prelude::*;
use tidings::{Change, EventFilter};
use tidings_event::{Severity, Sort};

use super::changes::change;
use super::filters::filter;
use super::history::{READERS, USERS};
use super::lists::sort;
use super::publish::{LARGE, Sent, large, sent};
use super::recipients::{FannedOut, fan_out, retraction_from_all, update_for_all};
use super::retractions::retraction;
use super::updates::update;

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// One publish request with these events.
    Publish(Vec<Sent>),
    /// An owner changes events of any owner, which are chosen by numbers.
    ChangeIds {
        owner: u8,
        events: Vec<usize>,
        change: Change,
    },
    /// A publisher updates an event, which is chosen by a number.
    Update {
        event: usize,
        severity: Option<Severity>,
        text: &'static str,
        progress: Option<u8>,
        sequence: Option<u64>,
        renotify: bool,
    },
    /// A publisher retracts an event, which is chosen by a number, of an owner.
    Retract {
        event: usize,
        owner: u8,
        /// Whether the publisher is another than that of the event.
        by_other: bool,
    },
    /// A publish request for several owners.
    FanOut { event: FannedOut, owners: Vec<u8> },
    /// A publisher updates an event, which is chosen by a number, for all owners who got it together.
    UpdateForAll {
        event: usize,
        severity: Severity,
        text: &'static str,
        sequence: Option<u64>,
        renotify: bool,
    },
    /// A publisher retracts such an event.
    RetractFromAll { event: usize, by_other: bool },
    /// The owner of a reader changes all matching events, up to the reader's position if it has one.
    ChangeMatching {
        reader: usize,
        filter: EventFilter,
        change: Change,
    },
    /// A reader reconnects at its position, even if it is connected.
    Reconnect { reader: usize },
    /// A reader reads this many items, or as many as there are.
    Read { reader: usize, items: usize },
    /// A reader disconnects.
    Cut { reader: usize },
    /// A list is compared with the model.
    List {
        owner: u8,
        filter: EventFilter,
        sort: Sort,
        size: u64,
    },
    /// The engine restarts, and keeps this many events of each owner and of the system.
    Restart { kept: Option<u8> },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        18 => prop::collection::vec(sent(), 1..6).prop_map(Step::Publish),
        1 => (0..=USERS, prop::collection::vec(sent(), LARGE)).prop_map(large),
        15 => (0..=USERS, prop::collection::vec(any::<usize>(), 1..5), change())
            .prop_map(|(owner, events, change)| Step::ChangeIds { owner, events, change }),
        12 => update(),
        4 => retraction(),
        14 => fan_out(),
        8 => update_for_all(),
        2 => retraction_from_all(),
        6 => (0..READERS, filter(), change())
            .prop_map(|(reader, filter, change)| Step::ChangeMatching { reader, filter, change }),
        9 => (0..READERS).prop_map(|reader| Step::Reconnect { reader }),
        18 => (0..READERS, 1..8_usize).prop_map(|(reader, items)| Step::Read { reader, items }),
        3 => (0..READERS).prop_map(|reader| Step::Cut { reader }),
        9 => (0..=USERS, filter(), sort(), 1..20_u64)
            .prop_map(|(owner, filter, sort, size)| Step::List { owner, filter, sort, size }),
        3 => prop::option::of(0..8_u8).prop_map(|kept| Step::Restart { kept }),
    ]
}
