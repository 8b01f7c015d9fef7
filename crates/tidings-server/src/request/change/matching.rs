//! The filter of a change.

use serde_json::value::RawValue;
use tidings_event::{EventFilter, Violations};

use super::fields::{MAX_FIELDS, check_count, unknown};
use crate::problem::quoted;
use crate::request::json;
use crate::request::parameters::{Parameters, Source};
use crate::request::spelling::{self, FILTERS};

/// Reads a filter, which must not be empty.
pub(super) fn filter(
    text: &str,
    value: &RawValue,
    violations: &mut Violations,
) -> Option<EventFilter> {
    let fields = match json::fields(text, value.get(), "filter", MAX_FIELDS) {
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
