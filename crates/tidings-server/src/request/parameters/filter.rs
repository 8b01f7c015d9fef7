//! The filter that parameters describe.

use tidings_event::{
    Action, Category, EventFilter, NameError, OwnerKind, Severity, SeverityError, Status,
    StatusError, Timestamp, Violations,
};

use super::{Parameters, Source};
use crate::problem::quoted;

const NO_UUID: &str = "is not a UUID";

const UUID_REMEDY: &str = "write a UUID like 7b1d2c3e-0000-4000-8000-000000000001";

impl Parameters<'_> {
    /// The filter that the values describe. Malformed values are violations.
    pub(crate) fn filter(&mut self, violations: &mut Violations) -> EventFilter {
        let in_words = |error: &NameError| error.to_string();
        let severity = |_: &_| "is not a severity".to_owned();
        let no_uuid = |_: &_| NO_UUID.to_owned();
        let uuid = |_: &_| UUID_REMEDY.to_owned();
        let no_status = |_: &_| "is not a status".to_owned();
        let read = |_: &_| "write `read` or `unread`".to_owned();
        let finds_nothing = !self.has_possible_values() || self.finds_nothing;
        let mut filter = EventFilter::default();
        let statuses = self.several("status", read_status, no_status, read, violations);
        filter.status = only(&statuses);
        let name = snake_case_remedy;
        filter.category = self.several("category", str::parse, in_words, name, violations);
        filter.action = self.several("action", str::parse, in_words, name, violations);
        let remedy = SeverityError::remedy;
        filter.severity = self.several("severity", read_severity, severity, remedy, violations);
        filter.acted_upon = self.several("actedUpon", str::parse, no_uuid, uuid, violations);
        filter.system_id = self.several("systemId", str::parse, no_uuid, uuid, violations);
        filter.owner_kind = self.owner_kind(violations);
        filter.operation_id = self.one("operationId", NO_UUID, UUID_REMEDY, violations);
        filter.from = self.time("from", violations);
        filter.to = self.time("to", violations);
        filter.search = self.search(violations);
        if finds_nothing {
            (filter.from, filter.to) = (Some(NEVER), Some(NEVER));
        }
        filter
    }

    /// Removes categories, actions and statuses that no event can have. Interfaces send them, since they
    /// are free texts in the servers they come from, and expect an empty list. Returns whether a
    /// possible value is left of each. In the body of a change they stay, and are violations.
    fn has_possible_values(&mut self) -> bool {
        if self.source == Source::Body {
            return true;
        }
        let mut is_left = true;
        for name in ["category", "action", "status"] {
            if let Some(texts) = self.texts.get_mut(name).filter(|texts| !texts.is_empty()) {
                texts.retain(|text| is_possible(name, text));
                is_left &= !texts.is_empty();
            }
        }
        is_left
    }

    /// Leaves out the message of `jiff` about a malformed time: it is long, and the remedy is enough.
    fn time(&mut self, name: &'static str, violations: &mut Violations) -> Option<Timestamp> {
        let remedy = match self.source {
            Source::Query => "write an RFC 3339 time such as 2026-08-01T10:00:00Z, with %2B for +",
            Source::Body => "write an RFC 3339 time such as 2026-08-01T10:00:00Z",
        };
        self.one(name, "is not a time", remedy, violations)
    }

    fn owner_kind(&mut self, violations: &mut Violations) -> Option<OwnerKind> {
        let mut kinds = Vec::new();
        for text in self.all("ownerKind") {
            match OwnerKind::ALL.iter().find(|kind| kind.as_str() == text) {
                Some(kind) => kinds.push(*kind),
                None => {
                    let fault = format!("({}) is not a kind of owner", quoted(&text));
                    let remedy = "write `user` or `system`";
                    violations.add(self.field("ownerKind"), fault, remedy);
                }
            }
        }
        only(&kinds)
    }

    fn search(&mut self, violations: &mut Violations) -> Option<String> {
        let text = self.one::<String>("search", "is not a text", "write a text", violations)?;
        let (bytes, most) = (text.len(), EventFilter::MAX_SEARCH_BYTES);
        if bytes > most {
            let fault = format!("has {bytes} bytes, more than the {most} allowed");
            violations.add(
                self.field("search"),
                fault,
                "search for a part of the description",
            );
            return None;
        }
        Some(text)
    }
}

/// As both `from` and `to` of a filter, this time matches no event.
const NEVER: Timestamp = Timestamp::UNIX_EPOCH;

/// Whether an event can have this category, action or status.
fn is_possible(name: &str, text: &str) -> bool {
    match name {
        "category" => text.parse::<Category>().is_ok(),
        "action" => text.parse::<Action>().is_ok(),
        _ => Status::meant_by(text).is_some(),
    }
}

/// The value of a property that has two. Both together, or none, narrow nothing.
fn only<T: PartialEq + Copy>(values: &[T]) -> Option<T> {
    let first = *values.first()?;
    values.iter().all(|value| *value == first).then_some(first)
}

/// Reads a severity in every spelling in which it can be published.
fn read_severity(text: &str) -> Result<Severity, SeverityError> {
    Severity::meant_by(text).map_or_else(|| text.parse(), Ok)
}

/// Reads a status in every spelling in which it can be imported.
fn read_status(text: &str) -> Result<Status, StatusError> {
    Status::meant_by(text).map_or_else(|| text.parse(), Ok)
}

fn snake_case_remedy<E>(_: &E) -> String {
    "write the name in snake_case, as the events do".to_owned()
}
