//! The fields of a request's body.

use std::borrow::Cow;

use serde_json::value::RawValue;
use tidings_event::Violations;

use super::ChangeRejection;
use crate::problem::quoted;
use crate::request::json;
use crate::request::spelling::{self, Parameter};

pub(super) const SELECTION_REMEDY: &str = "give `ids`, or `filter` with `upTo`, or `\"all\": true`";

/// The tables of the accepted fields.
pub(super) type Tables<'a> = &'a [&'static [Parameter]];

/// More fields than any client sends. Further ones are not read.
pub(super) const MAX_FIELDS: usize = 50;

/// Adds a violation if there are too many fields. Returns whether all were read.
pub(super) fn check_count(
    field: &str,
    count: usize,
    remedy: &str,
    violations: &mut Violations,
) -> bool {
    if count > MAX_FIELDS {
        let fault = format!("has {count} fields, more than {MAX_FIELDS}");
        violations.add(field, fault, remedy);
    }
    count <= MAX_FIELDS
}

/// The known fields of a request.
pub(super) struct ChangeFields<'a> {
    pub(super) text: &'a str,
    pub(super) given: Vec<(&'static str, &'a RawValue)>,
}

impl<'a> ChangeFields<'a> {
    pub(super) fn read(
        text: &'a str,
        known: Tables<'_>,
        violations: &mut Violations,
    ) -> Result<Self, ChangeRejection> {
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
                let remedy = format!("give `{field}` once");
                violations.add(field, "is given twice", remedy);
            } else {
                fields.push((field, value));
            }
        }
        Ok(Self {
            text,
            given: fields,
        })
    }

    /// Removes a field; `null` means absent.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.given.iter().position(|(taken, _)| *taken == name)?;
        let (_, value) = self.given.remove(place);
        (value.get() != "null").then_some(value)
    }
}

/// The remedy for a name that is in none of the tables.
pub(super) fn unknown(known: Tables<'_>, name: &str) -> String {
    let mut meant = known
        .iter()
        .filter_map(|table| spelling::suggestion(table, name));
    match meant.next() {
        Some(meant) => format!("write `{meant}`, or leave the field out"),
        None => {
            let known = known.iter().copied().flatten();
            let known: Vec<_> = known.map(|field| field.name).collect();
            format!("leave the field out; known names are {}", known.join(", "))
        }
    }
}

/// The text of a JSON string.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<String>(value.get())
        .ok()
        .map(Cow::Owned)
}
