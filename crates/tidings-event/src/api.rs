//! Response bodies shared by server and client.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::event::Event;
use crate::kind::{Severity, Status};
use crate::query::PageToken;

/// Exact counts of what an owner sees, by status and severity. Severities with none are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// How many events have a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCount {
    /// The severity.
    pub severity: Severity,
    /// How many events have it; never 0.
    pub count: u64,
}

/// A page of the list: the body of `GET /api/system/events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// The newest first.
    pub events: Vec<Event>,
    /// The page's number, from 0; 0 where the page was asked for by `next`.
    pub page: u64,
    /// The most events a page of this size holds.
    pub page_size: u64,
    /// What the owner sees by severity, whatever the filter but its status: unread unless it asks
    /// for another. Never `null`.
    pub count_by_severity_level: Vec<SeverityCount>,
    /// How many events match the filter.
    pub total_count: u64,
    /// How many events the owner has read, whatever the filter.
    pub read_count: u64,
    /// Asks for the page after this one; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PageToken>,
    /// Subscribe from here to miss nothing after this page was read.
    pub cursor: Cursor,
}
