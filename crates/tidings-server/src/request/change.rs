//! Parses the selection of events to mark or delete. It does not use serde's derive, so that one
//! response names every fault.

mod fields;
mod matching;
mod named;
mod rejection;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;
use tidings_event::{Cursor, EventId, EventRef, Limits, Selection, Status, Violations};

use crate::problem::quoted;
use crate::request::json;
use crate::request::spelling::{self, SELECTION, STATUS};

use fields::{ChangeFields, MAX_FIELDS, SELECTION_REMEDY, check_count, string};

pub(crate) use rejection::ChangeRejection;

const STATUS_REMEDY: &str = "write \"status\": \"read\" or \"status\": \"unread\"";

const UP_TO_REMEDY: &str =
    "give the `cursor` of the list, or of the last frame, that the user had on screen";

/// Parses the events to delete: `{"ids": […]}`, `{"filter": {…}, "upTo": "…"}` or `{"all": true}`.
pub(crate) fn read_selection(text: &str, limits: &Limits) -> Result<Selection, ChangeRejection> {
    let mut violations = Violations::default();
    let mut body = ChangeFields::read(text, &[&SELECTION], &mut violations)?;
    let selection = body.selection(limits, &mut violations)?;
    finish(selection, violations)
}

/// The events to mark, and their new status.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Marking {
    pub(crate) selection: Selection,
    pub(crate) status: Status,
}

/// Reads a selection with a `status`.
pub(crate) fn read_marking(text: &str, limits: &Limits) -> Result<Marking, ChangeRejection> {
    let mut violations = Violations::default();
    let mut body = ChangeFields::read(text, &[&SELECTION, &STATUS], &mut violations)?;
    let selection = body.selection(limits, &mut violations)?;
    let status = body.status(&mut violations);
    let (selection, status) = finish(selection.zip(status), violations)?;
    Ok(Marking { selection, status })
}

/// Parses the new status of one event: `{"status": "read"}`. Other fields are ignored, as in existing
/// servers, since they cannot widen the change.
pub(crate) fn read_status(text: &str) -> Result<Status, ChangeRejection> {
    let mut violations = Violations::default();
    let fields = json::fields(text, text, "body", MAX_FIELDS)?;
    // A status can be among the fields that were not read.
    let status = if check_count(
        "the body",
        fields.count,
        "send `status` alone",
        &mut violations,
    ) {
        let first = fields.first.into_iter();
        let is_status = |name: &str| spelling::find(&STATUS, name).is_some();
        let statuses = first.filter(|(name, _)| is_status(name));
        let mut body = ChangeFields {
            text,
            given: statuses.map(|(_, value)| ("status", value)).collect(),
        };
        if body.given.len() > 1 {
            violations.add("status", "is given twice", "give `status` once");
        }
        body.status(&mut violations)
    } else {
        None
    };
    violations.into_result().map_err(ChangeRejection::Status)?;
    Ok(expect_read(status))
}

fn finish<T>(read: Option<T>, violations: Violations) -> Result<T, ChangeRejection> {
    violations
        .into_result()
        .map_err(ChangeRejection::Selection)?;
    Ok(expect_read(read))
}

fn expect_read<T>(read: Option<T>) -> T {
    read.expect("what could not be read is a violation")
}

impl<'a> ChangeFields<'a> {
    fn status(&mut self, violations: &mut Violations) -> Option<Status> {
        let Some(value) = self.take("status") else {
            violations.add("status", "is missing", STATUS_REMEDY);
            return None;
        };
        let status = string(value).and_then(|text| text.parse().ok());
        if status.is_none() {
            let fault = format!("({}) is not a status", quoted(value.get()));
            violations.add("status", fault, STATUS_REMEDY);
        }
        status
    }

    fn selection(
        &mut self,
        limits: &Limits,
        violations: &mut Violations,
    ) -> Result<Option<Selection>, ChangeRejection> {
        // Beside `all`, a selection of `null` is one that the client failed to make, as in `up_to`.
        let is_null = |name: &&str| {
            let mut given = self.given.iter();
            given.any(|(field, value)| field == name && value.get() == "null")
        };
        let not_made: Vec<&str> = ["ids", "filter"].into_iter().filter(is_null).collect();
        let ids = self.take("ids");
        let filter = self.take("filter");
        let all = self.take("all");
        if all.is_some() {
            for name in not_made {
                let remedy = format!(
                    "give `{name}` without `all`; to change all events, leave `{name}` out"
                );
                violations.add(name, "is null", remedy);
            }
        }
        let up_to = self.up_to(all.is_some(), violations);
        let ways = [ids.is_some(), filter.is_some(), all.is_some()];
        match ways.into_iter().filter(|given| *given).count() {
            0 => violations.add("the body", "does not select events", SELECTION_REMEDY),
            1 => {}
            _ => violations.add(
                "the body",
                "selects events in more than one way",
                SELECTION_REMEDY,
            ),
        }
        let has_up_to = up_to.is_some();
        let up_to = up_to.and_then(|value| cursor(value, violations));
        let ids = match ids {
            Some(value) => Some(named::ids(self.text, "ids", value, limits, violations)?),
            None => None,
        };
        let events = self.events(ids, limits, violations)?;
        let filter = filter.and_then(|value| matching::filter(self.text, value, violations));
        if all.is_some_and(|value| value.get() != "true") {
            let remedy = "write \"all\": true, or leave `all` out";
            violations.add("all", "is not `true`", remedy);
        }
        if has_up_to && ways[0] {
            violations.add(
                "upTo",
                "is given with `ids`",
                "leave `upTo` out: only the named events are changed",
            );
        }
        if ways[1] && !has_up_to {
            violations.add("upTo", "is missing", UP_TO_REMEDY);
        }
        Ok(match (events, filter, all) {
            (Some(events), _, _) => Some(Selection::Ids(events)),
            (None, Some(filter), _) => up_to.map(|up_to| Selection::Filter {
                filter: Box::new(filter),
                up_to,
            }),
            (None, None, Some(_)) => Some(Selection::All { up_to }),
            (None, None, None) => None,
        })
    }

    /// The events that `ids` name; `systemIds` says which of them are the system's.
    fn events(
        &mut self,
        ids: Option<Vec<EventId>>,
        limits: &Limits,
        violations: &mut Violations,
    ) -> Result<Option<Vec<EventRef>>, ChangeRejection> {
        let system_ids = match self.take("systemIds") {
            Some(value) => {
                let field = "systemIds";
                Some(named::ids(self.text, field, value, limits, violations)?)
            }
            None => None,
        };
        Ok(match ids {
            Some(ids) if violations.is_empty() => Some(named::events(ids, system_ids, violations)),
            // Ids that could not be read must not be reported as missing, too.
            Some(_) => Some(Vec::new()),
            None => {
                if system_ids.is_some() {
                    let remedy = "give these ids in `ids`, too, or leave `systemIds` out";
                    violations.add("systemIds", "is given without `ids`", remedy);
                }
                None
            }
        })
    }

    /// Removes `upTo`. Beside `all`, `null` is a cursor that the client failed to get. It must not widen
    /// the change to events that the user has not seen.
    fn up_to(&mut self, with_all: bool, violations: &mut Violations) -> Option<&'a RawValue> {
        let is_given = self.given.iter().any(|(name, _)| *name == "upTo");
        let up_to = self.take("upTo");
        if with_all && is_given && up_to.is_none() {
            let remedy = format!("{UP_TO_REMEDY}; to change all events, leave `upTo` out");
            violations.add("upTo", "is null", remedy);
        }
        up_to
    }
}

fn cursor(value: &RawValue, violations: &mut Violations) -> Option<Cursor> {
    let cursor = string(value).and_then(|text| text.parse().ok());
    if cursor.is_none() {
        let fault = format!("({}) is not a cursor", quoted(value.get()));
        violations.add("upTo", fault, UP_TO_REMEDY);
    }
    cursor
}
