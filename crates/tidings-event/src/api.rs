//! Request and response bodies shared by server and client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::event::Event;
use crate::filter::OwnerKind;
use crate::id::{EventId, SystemId};
use crate::name::{Action, Category};
use crate::page_token::PageToken;
use crate::severity::Severity;
use crate::status::Status;

/// Exact counts of the events that an owner sees, by status and severity. A severity without events is
/// absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Summary {
    /// Unread events by severity.
    pub unread: BTreeMap<Severity, u64>,
    /// Read events by severity.
    pub read: BTreeMap<Severity, u64>,
}

impl Summary {
    /// The counts of one status, by severity.
    pub const fn of(&self, status: Status) -> &BTreeMap<Severity, u64> {
        match status {
            Status::Unread => &self.unread,
            Status::Read => &self.read,
        }
    }

    /// Adds `number` events to a count.
    pub fn add(&mut self, status: Status, severity: Severity, number: u64) {
        if number > 0 {
            let counts = match status {
                Status::Unread => &mut self.unread,
                Status::Read => &mut self.read,
            };
            *counts.entry(severity).or_default() += number;
        }
    }

    /// The number of events with this status.
    pub fn total(&self, status: Status) -> u64 {
        self.of(status).values().sum()
    }

    /// Returns the counts after a change. `None` if a count would fall below zero: the change does not
    /// belong to these counts.
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

/// The difference that a change makes to the counts, by severity. Unchanged severities are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct CountDelta {
    /// The difference in unread events by severity.
    pub unread: BTreeMap<Severity, i64>,
    /// The difference in read events by severity.
    pub read: BTreeMap<Severity, i64>,
}

impl CountDelta {
    /// Adds `by` events, or removes them if `by` is negative.
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

    /// Whether no count differs.
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.read.is_empty()
    }
}

/// The exact counts of an inbox: the body of `GET /api/system/events/summary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InboxSummary {
    /// The number of events.
    pub total_count: u64,
    /// The number of unread events.
    pub unread_count: u64,
    /// The number of read events.
    pub read_count: u64,
    /// The counts by status and severity.
    #[serde(flatten)]
    pub counts: Summary,
    /// The cursor at which the counts are exact. A subscription from here reports every later change.
    pub cursor: Cursor,
    /// The installation. Events with this `owner` are the system's, which every user sees.
    pub system_id: SystemId,
}

impl InboxSummary {
    /// A summary with these counts at this cursor of an installation.
    pub fn new(counts: Summary, cursor: Cursor, system_id: SystemId) -> Self {
        let unread_count = counts.total(Status::Unread);
        let read_count = counts.total(Status::Read);
        Self {
            total_count: unread_count + read_count,
            unread_count,
            read_count,
            counts,
            cursor,
            system_id,
        }
    }
}

/// The categories and actions of an owner's events: the body of `GET /api/system/events/types`. Both
/// lists are sorted, never `null`, and cut after 4,096 entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct EventTypes {
    /// The categories of the events.
    pub category: Vec<Category>,
    /// The actions of the events.
    pub action: Vec<Action>,
}

impl EventTypes {
    /// The maximum number of categories and the maximum number of actions.
    pub const MAX_NAMES: usize = 4_096;

    /// These categories and actions.
    pub const fn new(category: Vec<Category>, action: Vec<Action>) -> Self {
        Self { category, action }
    }
}

/// The response to a bulk change of status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct UpdatedEvents {
    /// The ids of the events that changed, if the request selected events by id; otherwise empty.
    pub updated: Vec<EventId>,
    /// The number of events that changed.
    pub count: u64,
}

impl UpdatedEvents {
    /// A response with these ids and this count.
    pub const fn new(updated: Vec<EventId>, count: u64) -> Self {
        Self { updated, count }
    }
}

/// The response to a bulk deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct DeletedEvents {
    /// The ids of the events that were deleted, if the request selected events by id; otherwise empty.
    pub deleted: Vec<EventId>,
    /// The number of events that were deleted.
    pub count: u64,
}

impl DeletedEvents {
    /// A response with these ids and this count.
    pub const fn new(deleted: Vec<EventId>, count: u64) -> Self {
        Self { deleted, count }
    }
}

/// The response to a change of one event's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UpdatedEvent {
    /// A sentence for people.
    pub message: String,
    /// The event.
    pub event_id: EventId,
    /// The new status of the event.
    pub status: Status,
}

impl UpdatedEvent {
    /// A response about the event `event_id`.
    pub fn new(message: impl Into<String>, event_id: EventId, status: Status) -> Self {
        Self {
            message: message.into(),
            event_id,
            status,
        }
    }
}

/// A category and an action that occur together: `GET /api/events/types` returns an array of them.
// The wire contract defines exactly this pair, so the struct is exhaustive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventType {
    /// The category.
    pub category: Category,
    /// The action.
    pub action: Action,
}

impl EventType {
    /// The maximum number of pairs in one response.
    pub const MAX: usize = 4_096;
}

/// The number of events with a severity.
// The wire contract defines exactly this pair, so the struct is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeverityCount {
    /// The severity.
    pub severity: Severity,
    /// The number of events; never 0.
    pub count: u64,
}

/// A page of the list: the body of `GET /api/system/events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventPage {
    /// The events in the requested order.
    pub events: Vec<Event>,
    /// The number of the page, from 0. 0 if the request used `next`.
    pub page: u64,
    /// The maximum number of events on a page of this list.
    pub page_size: u64,
    /// The events that the owner sees, counted by severity. Only the status of the filter applies; if
    /// the filter has none, unread events are counted. Never `null`.
    pub count_by_severity_level: Vec<SeverityCount>,
    /// The number of events that match the filter. Absent if the request did not ask for the count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub total_count: Option<u64>,
    /// The number of events that the owner has read, regardless of the filter.
    pub read_count: u64,
    /// The token of the following page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub next: Option<PageToken>,
    /// The cursor at which the page was read. A subscription from here reports every later change.
    pub cursor: Cursor,
    /// The installation. Events with this `owner` are the system's, which every user sees.
    pub system_id: SystemId,
}

impl EventPage {
    /// An empty page of an installation, read at `cursor`.
    pub const fn new(cursor: Cursor, system_id: SystemId) -> Self {
        Self {
            events: Vec::new(),
            page: 0,
            page_size: 0,
            count_by_severity_level: Vec::new(),
            total_count: None,
            read_count: 0,
            next: None,
            cursor,
            system_id,
        }
    }

    /// Whether an event of this page is the user's own or the system's.
    pub fn owner_kind(&self, event: &Event) -> OwnerKind {
        match event.owner == Some(self.system_id.into()) {
            true => OwnerKind::System,
            false => OwnerKind::User,
        }
    }
}
