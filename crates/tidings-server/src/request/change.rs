//! Parses the selection of events to mark or delete. It does not use serde's derive, so that one
//! response names every fault.

mod refusal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::value::RawValue;
use tidings_event::{Cursor, EventFilter, EventId, Limits, Selection, Status, Violations};

use crate::problem::quoted;
use crate::request::json;
use crate::request::parameters::{Parameters, Source};
use crate::request::spelling::{self, FILTERS, Parameter, SELECTION, STATUS};

pub(crate) use refusal::ChangeRefusal;

/// The tables of the accepted fields.
type Fields<'a> = &'a [&'static [Parameter]];

/// More fields than any client sends. Further ones are not read.
const MAX_FIELDS: usize = 50;

const SELECTION_REMEDY: &str = "give `ids`, or `filter` with `upTo`, or `\"all\": true`";

const STATUS_REMEDY: &str = "write \"status\": \"read\" or \"status\": \"unread\"";

const UP_TO_REMEDY: &str =
    "give the `cursor` of the list, or of the last frame, that the user had on screen";

/// Parses the events to delete: `{"ids": […]}`, `{"filter": {…}, "upTo": "…"}` or `{"all": true}`.
pub(crate) fn read_selection(text: &str, limits: &Limits) -> Result<Selection, ChangeRefusal> {
    let mut violations = Violations::default();
    let mut body = Body::read(text, &[&SELECTION], &mut violations)?;
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
pub(crate) fn read_marking(text: &str, limits: &Limits) -> Result<Marking, ChangeRefusal> {
    let mut violations = Violations::default();
    let mut body = Body::read(text, &[&SELECTION, &STATUS], &mut violations)?;
    let selection = body.selection(limits, &mut violations)?;
    let status = body.status(&mut violations);
    let (selection, status) = finish(selection.zip(status), violations)?;
    Ok(Marking { selection, status })
}

/// Parses the new status of one event: `{"status": "read"}`. Other fields are ignored, as in existing
/// servers, since they cannot widen the change.
pub(crate) fn read_status(text: &str) -> Result<Status, ChangeRefusal> {
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
        let mut body = Body {
            text,
            fields: statuses.map(|(_, value)| ("status", value)).collect(),
        };
        if body.fields.len() > 1 {
            violations.add("status", "is given twice", "give it once");
        }
        body.status(&mut violations)
    } else {
        None
    };
    violations.into_result().map_err(ChangeRefusal::Status)?;
    Ok(expect_read(status))
}

fn finish<T>(read: Option<T>, violations: Violations) -> Result<T, ChangeRefusal> {
    violations.into_result().map_err(ChangeRefusal::Selection)?;
    Ok(expect_read(read))
}

fn expect_read<T>(read: Option<T>) -> T {
    read.expect("what could not be read is a violation")
}

/// Adds a violation if there are too many fields. Returns whether all were read.
fn check_count(field: &str, count: usize, remedy: &str, violations: &mut Violations) -> bool {
    if count > MAX_FIELDS {
        let fault = format!("has {count} fields, more than {MAX_FIELDS}");
        violations.add(field, fault, remedy);
    }
    count <= MAX_FIELDS
}

/// The known fields of a request.
struct Body<'a> {
    text: &'a str,
    fields: Vec<(&'static str, &'a RawValue)>,
}

impl<'a> Body<'a> {
    fn read(
        text: &'a str,
        known: Fields<'_>,
        violations: &mut Violations,
    ) -> Result<Self, ChangeRefusal> {
        let read = json::fields(text, text, "body", MAX_FIELDS)?;
        check_count("the body", read.count, SELECTION_REMEDY, violations);
        let mut fields: Vec<(&'static str, &RawValue)> = Vec::new();
        for (name, value) in read.first {
            let mut found = known
                .iter()
                .filter_map(|table| spelling::find(table, &name));
            let Some(field) = found.next().map(|field| field.name) else {
                let remedy = unknown(known, &name);
                violations.add(quoted(&name), "is not a field of this request", remedy);
                continue;
            };
            if fields.iter().any(|(taken, _)| *taken == field) {
                violations.add(field, "is given twice", "give it once");
            } else {
                fields.push((field, value));
            }
        }
        Ok(Self { text, fields })
    }

    /// Removes a field; `null` means absent.
    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.fields.iter().position(|(taken, _)| *taken == name)?;
        let (_, value) = self.fields.remove(place);
        (value.get() != "null").then_some(value)
    }

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
    ) -> Result<Option<Selection>, ChangeRefusal> {
        // Beside `all`, a selection of `null` is one that the client failed to make, as in `up_to`.
        let is_null = |name: &&str| {
            let mut fields = self.fields.iter();
            fields.any(|(field, value)| field == name && value.get() == "null")
        };
        let not_made: Vec<&str> = ["ids", "filter"].into_iter().filter(is_null).collect();
        let ids = self.take("ids");
        let filter = self.take("filter");
        let all = self.take("all");
        if all.is_some() {
            for name in not_made {
                let remedy = "give it without `all`; to change all events, leave it out";
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
            Some(value) => Some(self.ids(value, limits, violations)?),
            None => None,
        };
        let filter = filter.and_then(|value| self.filter(value, violations));
        if all.is_some_and(|value| value.get() != "true") {
            let remedy = "write \"all\": true, or leave it out";
            violations.add("all", "is not `true`", remedy);
        }
        if has_up_to && ids.is_some() {
            violations.add(
                "upTo",
                "is given with `ids`",
                "leave it out: only the named events are changed",
            );
        }
        if ways[1] && !has_up_to {
            violations.add("upTo", "is missing", UP_TO_REMEDY);
        }
        Ok(match (ids, filter, all) {
            (Some(ids), _, _) => Some(Selection::Ids(ids)),
            (None, Some(filter), _) => up_to.map(|up_to| Selection::Filter {
                filter: Box::new(filter),
                up_to,
            }),
            (None, None, Some(_)) => Some(Selection::All { up_to }),
            (None, None, None) => None,
        })
    }

    /// Removes `upTo`. Beside `all`, `null` is a cursor that the client failed to get. It must not widen
    /// the change to events that the user has not seen.
    fn up_to(&mut self, with_all: bool, violations: &mut Violations) -> Option<&'a RawValue> {
        let is_given = self.fields.iter().any(|(name, _)| *name == "upTo");
        let up_to = self.take("upTo");
        if with_all && is_given && up_to.is_none() {
            let remedy = format!("{UP_TO_REMEDY}; to change all events, leave it out");
            violations.add("upTo", "is null", remedy);
        }
        up_to
    }

    fn ids(
        &self,
        value: &'a RawValue,
        limits: &Limits,
        violations: &mut Violations,
    ) -> Result<Vec<EventId>, ChangeRefusal> {
        let limit = limits.change_ids;
        if string(value).is_some() {
            return Ok(id("ids", value, violations).into_iter().collect());
        }
        let elements = match json::elements(self.text, value.get(), "ids", limit) {
            Ok(elements) => elements,
            Err(fault) => {
                violations.add(
                    fault.field,
                    fault.fault,
                    "give an array of the events' UUIDs",
                );
                return Ok(Vec::new());
            }
        };
        if elements.count > limit {
            let ids = elements.count;
            return Err(ChangeRefusal::TooManyIds { ids, limit });
        }
        let mut ids = Vec::with_capacity(elements.first.len());
        for (index, element) in elements.first.into_iter().enumerate() {
            ids.extend(id(&format!("ids[{index}]"), element, violations));
        }
        Ok(ids)
    }

    fn filter(&self, value: &'a RawValue, violations: &mut Violations) -> Option<EventFilter> {
        let fields = match json::fields(self.text, value.get(), "filter", MAX_FIELDS) {
            Ok(fields) => fields,
            Err(fault) => {
                let remedy = "give an object with the names of the list's filters";
                violations.add(fault.field, fault.fault, remedy);
                return None;
            }
        };
        check_count("filter", fields.count, "leave some out", violations);
        let faults = violations.iter().len();
        let mut given = Parameters::new(Source::Body);
        for (name, value) in fields.first {
            match spelling::find(&FILTERS, &name) {
                Some(filter) => given.insert_field(filter, value, violations),
                None => {
                    let remedy = unknown(&[&FILTERS], &name);
                    violations.add(given.field(&quoted(&name)), "is not a filter", remedy);
                }
            }
        }
        let filter = given.filter(violations);
        if faults == violations.iter().len() && filter.is_empty() {
            violations.add(
                "filter",
                "is empty",
                "select events; for all of them, write \"all\": true instead",
            );
        }
        Some(filter)
    }
}

/// The remedy for a name that is in none of the tables.
fn unknown(known: Fields<'_>, name: &str) -> String {
    let mut meant = known
        .iter()
        .filter_map(|table| spelling::suggestion(table, name));
    match meant.next() {
        Some(meant) => format!("write `{meant}`, or leave it out"),
        None => {
            let known = known.iter().copied().flatten();
            let known: Vec<_> = known.map(|field| field.name).collect();
            format!("leave it out; known names are {}", known.join(", "))
        }
    }
}

fn id(field: &str, value: &RawValue, violations: &mut Violations) -> Option<EventId> {
    let id = string(value).and_then(|text| text.parse().ok());
    if id.is_none() {
        violations.add(
            field,
            format!("({}) is not a UUID", quoted(value.get())),
            "give the event's UUID, as in its field `id`",
        );
    }
    id
}

fn cursor(value: &RawValue, violations: &mut Violations) -> Option<Cursor> {
    let cursor = string(value).and_then(|text| text.parse().ok());
    if cursor.is_none() {
        let fault = format!("({}) is not a cursor", quoted(value.get()));
        violations.add("upTo", fault, UP_TO_REMEDY);
    }
    cursor
}

/// The text of a JSON string.
fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<String>(value.get())
        .ok()
        .map(Cow::Owned)
}
