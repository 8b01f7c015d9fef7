//! Converts the errors of other programs to the stored shape.
//!
//! Known forms are `MeshKit` errors in any spelling, problem details (RFC 9457), the errors of Go,
//! JavaScript, Java and Python, gRPC statuses, AWS and Kubernetes errors, the error body of Tidings, and
//! lists and nestings of these. Texts for users go into the four arrays; every other key is kept.

use serde_json::{Map, Value};

use super::grade::{take_code, take_severity};
use super::merge::add_error;
use super::names::{is_spelling, names};
use super::shape::{ARRAYS, Parts, is_blank, is_normal, wrapped};
use super::words::{CAUSES, DETAILS, HEADLINES, REMEDIES};
use crate::number;

/// The maximum depth of nested errors that is read.
const MAX_LEVELS: usize = 8;

/// Converts any value of `metadata.error` to the shape that views read: an object with the four arrays, a
/// code and a severity. Other keys are kept. Nothing is rejected, because that would lose the event. A
/// value that already has the shape does not change.
pub(crate) fn normalized(given: Value) -> Value {
    Value::Object(object_of(given, 0))
}

/// Parses the object in a text: publishers pass on the body of another server's response.
fn object_in(text: &str) -> Option<Map<String, Value>> {
    let is_object = text.trim_start().starts_with('{') && !number::may_round(text);
    let object: Map<String, Value> = is_object.then(|| serde_json::from_str(text).ok())??;
    object
        .values()
        .any(|value| !is_blank(value))
        .then_some(object)
}

fn object_of(given: Value, level: usize) -> Map<String, Value> {
    match given {
        Value::String(text) => match object_in(&text) {
            Some(object) if level < MAX_LEVELS => of_object(object, level + 1),
            _ => wrapped(Value::String(text)),
        },
        Value::Object(object) => of_object(object, level),
        Value::Array(items) if items.iter().any(Value::is_object) && level < MAX_LEVELS => {
            let items = items.into_iter().filter(|item| !is_blank(item));
            let mut errors = items.map(|item| object_of(item, level + 1));
            let mut first = errors
                .next()
                .unwrap_or_else(|| of_object(Map::new(), level));
            for other in errors {
                add_error(&mut first, other);
            }
            first
        }
        other => wrapped(other),
    }
}

fn of_object(mut given: Map<String, Value>, level: usize) -> Map<String, Value> {
    if is_normal(&given) {
        return given;
    }
    let mut error = Map::new();
    // The innermost error describes the failure.
    let wrapped = (level < MAX_LEVELS)
        .then(|| take_wrapped(&mut given))
        .flatten();
    let mut parts = Parts::default();
    for (part, key) in ARRAYS.iter().enumerate() {
        // The documented spelling first, then the others in the map's order.
        if let Some(value) = given.remove(*key) {
            parts.add(part, value);
        }
        for name in names(&given, |name| is_spelling(name, key)) {
            if let Some(value) = given.remove(&name) {
                parts.add(part, value);
            }
        }
    }
    take_code(&mut given, &mut error);
    take_severity(&mut given, &mut error);
    take_go(&mut given, &mut parts);
    for (part, words) in [
        (Parts::SHORT, &HEADLINES[..]),
        (Parts::LONG, &DETAILS),
        (Parts::CAUSE, &CAUSES),
        (Parts::REMEDY, &REMEDIES),
    ] {
        if parts.0[part].is_empty() {
            take_words(&mut given, words, part, level, &mut parts);
        }
    }
    error.extend(parts.into_arrays());
    for (key, value) in given {
        error.entry(key).or_insert(value);
    }
    let mut inner = wrapped;
    while let Some(one) = inner {
        add_error(&mut error, object_of(one, level + 1));
        // If it has no text, another one can say more.
        inner = match has_text(&error) {
            true => None,
            false => take_wrapped(&mut error),
        };
    }
    error
}

/// Whether one of the arrays has a text.
fn has_text(error: &Map<String, Value>) -> bool {
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let mut arrays = ARRAYS.iter().filter_map(|key| error.get(*key));
    arrays.any(|array| !is_empty(array))
}

/// Removes and returns the inner error: `{"error": {"error": {…}}}`, or the errors of an aggregate. A text
/// becomes the headline.
fn take_wrapped(given: &mut Map<String, Value>) -> Option<Value> {
    let is_wrapped = |value: &Value| match value {
        Value::Object(_) => !is_blank(value),
        Value::Array(items) => items.iter().any(Value::is_object) && !is_blank(value),
        Value::String(text) => !text.trim().is_empty(),
        _ => false,
    };
    // Errors of Go have the inner error under `Err`, beside the operation.
    let is_go = given.contains_key("Op");
    let keys = names(given, |name| {
        matches!(
            name,
            "error" | "errors" | "err" | "errormessage" | "innererror" | "errormsg"
        )
    });
    let key = keys
        .into_iter()
        .find(|key| !(is_go && key == "Err") && given.get(key).is_some_and(is_wrapped))?;
    given.remove(&key)
}

/// Reads the errors of the packages of Go: `{"Op":"dial","Net":"tcp","Addr":…,"Err":{…}}`.
fn take_go(given: &mut Map<String, Value>, parts: &mut Parts) {
    if !parts.0[Parts::SHORT].is_empty() || !given.get("Op").is_some_and(Value::is_string) {
        return;
    }
    let mut words: Vec<String> = Vec::new();
    for key in ["Op", "Net", "URL", "Path", "Name", "Func", "Num"] {
        if let Some(Value::String(word)) = given.get(key)
            && !word.is_empty()
        {
            words.push(word.clone());
        }
    }
    let mut headline = words.join(" ");
    if let Some(inner) = given.get("Err").filter(|inner| !is_blank(inner)) {
        let inner = object_of(inner.clone(), MAX_LEVELS);
        let first = |key: &str| inner.get(key)?.get(0)?.as_str().map(str::to_owned);
        if let Some(text) = first("ShortDescription").or_else(|| first("LongDescription")) {
            headline = format!("{headline}: {text}");
        }
    }
    parts.0[Parts::SHORT].push(headline);
}

/// Moves the values of other words to a part: texts, lists of texts, and the headline of an error.
fn take_words(
    given: &mut Map<String, Value>,
    words: &[&str],
    part: usize,
    level: usize,
    parts: &mut Parts,
) {
    for word in words {
        for name in names(given, |name| name == *word) {
            // There is one headline; the name of an error precedes its message.
            if part == Parts::SHORT && !parts.0[part].is_empty() {
                if *word == "name" {
                    name_headline(given, &name, parts);
                }
                continue;
            }
            match given.get(&name) {
                Some(value) if is_blank(value) => {}
                Some(Value::String(_)) => {
                    let value = given.remove(&name).unwrap_or_default();
                    parts.add(part, value);
                }
                Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
                    let value = given.remove(&name).unwrap_or_default();
                    parts.add(part, value);
                }
                Some(inner @ Value::Object(_)) if part == Parts::CAUSE && level < MAX_LEVELS => {
                    let mut inner = object_of(inner.clone(), level + 1);
                    let mut take = |key: &str| inner.remove(key).unwrap_or_default();
                    let short = take("ShortDescription");
                    let deeper = take("ProbableCause");
                    let remedies = take("SuggestedRemediation");
                    parts.add(Parts::CAUSE, short);
                    parts.add(Parts::CAUSE, deeper);
                    parts.add(Parts::REMEDY, remedies);
                }
                _ => {}
            }
        }
    }
}

/// Prefixes the message with the name, such as `TypeError`, unless it contains the name.
fn name_headline(given: &mut Map<String, Value>, name: &str, parts: &mut Parts) {
    if let (Some(Value::String(kind)), [headline]) =
        (given.get(name), &mut parts.0[Parts::SHORT][..])
        && !kind.trim().is_empty()
    {
        if !headline.contains(kind.as_str()) {
            *headline = format!("{kind}: {headline}");
        }
        given.remove(name);
    }
}
