//! Request and response bodies shared by server and client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::event::Event;
use crate::id::EventId;
use crate::kind::{Action, Category, Severity, Status};
use crate::query::PageToken;

/// Exact counts of what an owner sees, by status and severity. Severities with none are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary {
    /// Unread events.
    pub unread: BTreeMap<Severity, u64>,
    /// Read events.
    pub read: BTreeMap<Severity, u64>,
}

impl Summary {
    /// The counts of one status.
    pub const fn of(&self, status: Status) -> &BTreeMap<Severity, u64> {
        match status {
            Status::Unread => &self.unread,
            Status::Read => &self.read,
        }
    }

    /// Counts `number` more events.
    pub fn add(&mut self, status: Status, severity: Severity, number: u64) {
        if number > 0 {
            let counts = match status {
                Status::Unread => &mut self.unread,
                Status::Read => &mut self.read,
            };
            *counts.entry(severity).or_default() += number;
        }
    }

    /// How many events have this status.
    pub fn total(&self, status: Status) -> u64 {
        self.of(status).values().sum()
    }

    /// Applies what a change did to the counts. `None`, and nothing is changed, if a count would go
    /// below zero, which means that the two do not belong together.
    #[must_use]
    pub fn changed_by(&self, delta: &CountDelta) -> Option<Self> {
        let mut changed = self.clone();
        for (status, deltas) in [(Status::Unread, &delta.unread), (Status::Read, &delta.read)] {
            let counts = match status {
                Status::Unread => &mut changed.unread,
                Status::Read => &mut changed.read,
            };
            for (severity, by) in deltas {
                let before = counts.get(severity).copied().unwrap_or(0);
                match before.checked_add_signed(*by)? {
                    0 => counts.remove(severity),
                    after => counts.insert(*severity, after),
                };
            }
        }
        Some(changed)
    }
}

/// What a change does to the counts, by severity. Severities that stay as they are are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountDelta {
    /// To the unread events.
    pub unread: BTreeMap<Severity, i64>,
    /// To the read events.
    pub read: BTreeMap<Severity, i64>,
}

impl CountDelta {
    /// Counts `by` more (or fewer) events.
    pub fn add(&mut self, status: Status, severity: Severity, by: i64) {
        let deltas = match status {
            Status::Unread => &mut self.unread,
            Status::Read => &mut self.read,
        };
        let delta = deltas.entry(severity).or_default();
        *delta += by;
        if *delta == 0 {
            deltas.remove(&severity);
        }
    }
}

/// The exact counts of an inbox: the body of `GET /api/system/events/summary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InboxSummary {
    /// How many events there are.
    pub total_count: u64,
    /// How many of them are unread.
    pub unread_count: u64,
    /// How many of them are read.
    pub read_count: u64,
    /// By status and severity.
    #[serde(flatten)]
    pub counts: Summary,
    /// The counts are those at this cursor: subscribe from here to keep them true.
    pub cursor: Cursor,
}

/// What an owner's events are about: the body of `GET /api/system/events/types`. Each is sorted, never
/// `null`, and has at most 4,096 entries: the first ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventTypes {
    /// The categories that at least one event has.
    pub category: Vec<Category>,
    /// The actions that at least one event has.
    pub action: Vec<Action>,
}

impl EventTypes {
    /// The most categories, and the most actions, that are named.
    pub const MAX_NAMES: usize = 4_096;
}

/// The answer to a bulk change of status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdatedEvents {
    /// Which events changed, where they were named by their ids; otherwise empty.
    pub updated: Vec<EventId>,
    /// How many changed.
    pub count: u64,
}

/// The answer to a bulk deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletedEvents {
    /// Which events were deleted, where they were named by their ids; otherwise empty.
    pub deleted: Vec<EventId>,
    /// How many were deleted.
    pub count: u64,
}

/// The answer to a change of one event's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UpdatedEvent {
    /// What was done, in words.
    pub message: String,
    /// Which event.
    pub event_id: EventId,
    /// Its status now.
    pub status: Status,
}

/// A category and an action that some event has: `GET /api/events/types` answers with an array of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventType {
    /// The category.
    pub category: Category,
    /// The action.
    pub action: Action,
}

impl EventType {
    /// The most pairs that one answer names.
    pub const MAX: usize = 4_096;
}

/// How many events have a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeverityCount {
    /// The severity.
    pub severity: Severity,
    /// How many events have it; never 0.
    pub count: u64,
}

/// A page of the list: the body of `GET /api/system/events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// In the order that was asked for.
    pub events: Vec<Event>,
    /// The page's number, from 0; 0 where the page was asked for by `next`.
    pub page: u64,
    /// The most events a page of this size holds.
    pub page_size: u64,
    /// What the owner sees by severity, whatever the filter but its status: unread unless it asks
    /// for another. Never `null`.
    pub count_by_severity_level: Vec<SeverityCount>,
    /// How many events match the filter; absent where they were not to be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub total_count: Option<u64>,
    /// How many events the owner has read, whatever the filter.
    pub read_count: u64,
    /// Asks for the page after this one; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub next: Option<PageToken>,
    /// Subscribe from here to miss nothing after this page was read.
    pub cursor: Cursor,
}
