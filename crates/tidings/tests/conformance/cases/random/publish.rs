//! Publish requests: new events, repeats, conflicts and copies for other owners.

use std::collections::HashMap;

use proptest::prelude::*;
use tidings::{Event, PublishError, SqliteConfig};
use tidings_event::{EventId, Severity};

use super::super::{builder, built};
use super::history::{History, USERS, owner_of};
use super::steps::Step;
use super::values::{ACTIONS, CATEGORIES, TEXTS, at, severity};
use crate::model::{EventKey, user};

/// The events of a large request: more than the row of a feed holds.
pub(super) const LARGE: std::ops::Range<usize> = SqliteConfig::DEFAULT_NEWEST_EVENTS + 1..120;

/// The seconds from the moments of a history to those at which its events expire: a century.
const FAR: u64 = 100 * 366 * 24 * 3_600;

#[derive(Clone, Debug)]
pub(super) enum Sent {
    New {
        owner: u8,
        severity: Severity,
        category: &'static str,
        action: &'static str,
        text: &'static str,
        /// Seconds: events of the same moment are common.
        moment: u64,
        /// Whether it expires, long after the history.
        expires: bool,
    },
    /// A published event, chosen by a number.
    Repeat { of: usize },
    /// The id of a published event, with other content.
    Conflict { with: usize },
    /// A published event for any owner, perhaps with other content.
    Copied {
        of: usize,
        owner: u8,
        is_changed: bool,
    },
}

pub(super) fn sent() -> impl Strategy<Value = Sent> {
    let new = (
        0..=USERS,
        severity(),
        prop::sample::select(&CATEGORIES[..]),
        prop::sample::select(&ACTIONS[..]),
        prop::sample::select(&TEXTS[..]),
        0..5_u64,
        prop::bool::weighted(0.3),
    );
    prop_oneof![
        8 => new.prop_map(|(owner, severity, category, action, text, moment, expires)| Sent::New {
            owner, severity, category, action, text, moment, expires,
        }),
        1 => any::<usize>().prop_map(|of| Sent::Repeat { of }),
        1 => any::<usize>().prop_map(|with| Sent::Conflict { with }),
        4 => (any::<usize>(), 0..=USERS, prop::bool::weighted(0.2))
            .prop_map(|(of, owner, is_changed)| Sent::Copied { of, owner, is_changed }),
    ]
}

/// A request whose new events are for one owner.
pub(super) fn large((to, mut sent): (u8, Vec<Sent>)) -> Step {
    for one in &mut sent {
        if let Sent::New { owner, .. } | Sent::Copied { owner, .. } = one {
            *owner = to;
        }
    }
    // One conflict would reject all.
    sent.retain(|one| {
        !matches!(
            one,
            Sent::Conflict { .. }
                | Sent::Copied {
                    is_changed: true,
                    ..
                }
        )
    });
    Step::Publish(sent)
}

impl History {
    pub(super) async fn publish(&mut self, sent: Vec<Sent>) {
        let published = self.model.keys();
        let mut events: Vec<Event> = Vec::new();
        for sent in sent {
            let nth = |number: usize| {
                let key = published[number % published.len()];
                let event = self.model.published(key);
                event.expect("it was published").clone()
            };
            match sent {
                Sent::Repeat { of } if !published.is_empty() => events.push(nth(of)),
                Sent::Conflict { with } if !published.is_empty() => {
                    let mut event = nth(with);
                    event.description.push_str(", but different");
                    events.push(event);
                }
                Sent::Copied {
                    of,
                    owner,
                    is_changed,
                } if !published.is_empty() => {
                    let mut event = nth(of);
                    event.owner = Some(owner_of(owner, self.system));
                    if is_changed {
                        event.description.push_str(", for another");
                    }
                    events.push(event);
                }
                Sent::New {
                    owner,
                    severity,
                    category,
                    action,
                    text,
                    moment,
                    expires,
                } => {
                    let owner = (owner < USERS).then(|| user(owner));
                    let builder = builder(owner)
                        .with_severity(severity)
                        .with_category(category)
                        .with_action(action)
                        .with_description(text);
                    let mut event = built(builder);
                    event.created_at = at(moment);
                    event.expires_at = expires.then(|| at(FAR + moment));
                    events.push(event);
                }
                // No event was published yet.
                Sent::Repeat { .. } | Sent::Conflict { .. } | Sent::Copied { .. } => {
                    events.push(built(builder(None)));
                }
            }
        }
        let conflict = self.conflict(&events);
        match (self.tidings.publish_batch(events).await, conflict) {
            (Ok(receipts), None) => self.model.accept(receipts),
            (Err(PublishError::Conflict { index, id }), Some(expected)) => {
                assert_eq!((index, id), expected);
            }
            (other, expected) => panic!("expected conflict {expected:?}, got {other:?}"),
        }
    }

    /// The first of these events whose owner has its id with other content, from before or from the same
    /// request. The events differ by their descriptions.
    fn conflict(&self, events: &[Event]) -> Option<(usize, EventId)> {
        let mut before: HashMap<EventKey, &Event> = HashMap::new();
        events.iter().enumerate().find_map(|(index, event)| {
            let key = (event.owner.unwrap_or(self.system), event.id);
            let known = before.get(&key).copied();
            let known = known.or_else(|| self.model.published(key)).unwrap_or(event);
            before.insert(key, known);
            (known.description != event.description).then_some((index, event.id))
        })
    }
}
