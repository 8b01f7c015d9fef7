//! The cause of an event as it is stored, under `metadata.error`.

mod forms;
mod grade;
mod merge;
mod names;
mod shape;
mod words;

use serde_json::{Map, Value};

use crate::event::Metadata;
use crate::severity::Severity;

use names::{bare, is_spelling};
use shape::{ARRAYS, wrapped};

pub(crate) use forms::normalized;
pub(crate) use shape::{is_blank, is_part, says_nothing};

/// The keys under which publishers put a cause, the documented key first.
const KEYS: [&str; 10] = [
    "error",
    "err",
    "Error",
    "Err",
    "errors",
    "Errors",
    "exception",
    "Exception",
    "cause",
    "Cause",
];

/// The number of these keys that hold a cause for every severity.
const SURE_KEYS: usize = 2;

/// Removes the cause from an event's metadata. `errors` and similar keys are a cause only if the severity
/// is that of a failure, because elsewhere they can be a count.
pub(crate) fn take(metadata: &mut Metadata, severity: Severity) -> Option<Value> {
    let keys = match severity {
        Severity::Success | Severity::Informational | Severity::Debug => &KEYS[..SURE_KEYS],
        Severity::Emergency
        | Severity::Alert
        | Severity::Critical
        | Severity::Error
        | Severity::Warning => &KEYS[..],
    };
    let is_there = |(place, key): &(usize, &&str)| {
        metadata
            .get(**key)
            .is_some_and(|value| is_cause(value, *place < SURE_KEYS))
    };
    match keys.iter().enumerate().find(is_there) {
        Some((_, key)) => metadata.remove(*key),
        None if keys.len() > SURE_KEYS => beside(metadata).or_else(|| problem_details(metadata)),
        None => None,
    }
}

/// Whether the metadata has a cause that is not blank.
pub(crate) fn is_given(metadata: &Metadata) -> bool {
    KEYS.iter()
        .filter_map(|key| metadata.get(*key))
        .any(|value| is_cause(value, false) && !says_nothing(value))
}

fn is_cause(value: &Value, is_sure: bool) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => is_sure || !is_blank(value),
        Value::Bool(_) | Value::Number(_) => is_sure,
    }
}

/// Adds a text to a cause that is blank in every part that views show.
pub(crate) fn say_at_least(cause: &mut Value, text: &str) {
    let Value::Object(cause) = cause else { return };
    let is_silent = ["Code"]
        .iter()
        .chain(&ARRAYS)
        .all(|part| cause.get(*part).is_none_or(is_blank));
    if is_silent && !text.trim().is_empty() {
        for (key, value) in wrapped(text.into()) {
            if ARRAYS.contains(&key.as_str()) {
                cause.insert(key, value);
            }
        }
    }
}

/// The parts of a cause that are directly in the metadata: `{"probableCause": …}`.
fn beside(metadata: &Map<String, Value>) -> Option<Value> {
    let is_part = |name: &str| ARRAYS.iter().any(|part| is_spelling(name, part));
    let parts = metadata
        .iter()
        .filter(|(key, value)| is_part(&bare(key)) && !is_blank(value));
    let parts: Map<String, Value> = parts
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!parts.is_empty()).then_some(Value::Object(parts))
}

/// Problem details (RFC 9457) that stand in the metadata themselves.
fn problem_details(metadata: &Map<String, Value>) -> Option<Value> {
    let has_text = |key: &str| {
        metadata
            .get(key)
            .is_some_and(|value| value.is_string() && !is_blank(value))
    };
    let has_status = metadata.get("status").is_some_and(Value::is_number);
    let is_problem = has_text("title") && (has_text("detail") || has_text("type") && has_status);
    is_problem.then(|| {
        let members = ["type", "title", "status", "detail", "instance"].into_iter();
        let given = members.filter_map(|key| Some((key.to_owned(), metadata.get(key)?.clone())));
        Value::Object(given.collect())
    })
}

#[cfg(test)]
mod tests;
