//! The forms in which programs write an error, and the one in which it is stored.
//!
//! `MeshKit` errors in any spelling, problem details (RFC 9457), the errors of Go, JavaScript, Java and
//! Python, gRPC statuses, AWS and Kubernetes errors, Tidings' own error body, lists of these, and any of
//! them inside another. What a view reads goes into the four arrays; every other key stays.

use serde_json::{Map, Value};

use super::grade::{take_code, take_severity};
use super::merge::add_error;
use super::names::{is_spelling, names};
use super::shape::{ARRAYS, Parts, is_blank, is_normal, wrapped};
use super::words::{CAUSES, DETAILS, HEADLINES, REMEDIES};
use crate::number;

/// The most errors inside one another that are read.
const MAX_LEVELS: usize = 8;

/// Brings whatever a publisher put into `metadata.error` into the shape views read: an object with
/// the four arrays, a code and a severity. Other keys are kept; nothing is refused, since losing
/// the event would be worse. What is in that shape already stays as it is.
pub(crate) fn normalized(given: Value) -> Value {
    Value::Object(object_of(given, 0))
}

/// The object that a text holds: the body of another server's answer is passed on as it came.
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
    // Inside out: the error that is wrapped says what happened.
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
    if let Some(inner) = wrapped {
        add_error(&mut error, object_of(inner, level + 1));
    }
    error
}

/// Takes out the error inside an error: `{"error": {"error": {…}}}`, and the errors of an aggregate. A text
/// there is the headline.
fn take_wrapped(given: &mut Map<String, Value>) -> Option<Value> {
    let is_wrapped = |value: &Value| match value {
        Value::Object(_) => !is_blank(value),
        Value::Array(items) => items.iter().any(Value::is_object) && !is_blank(value),
        Value::String(text) => !text.trim().is_empty(),
        _ => false,
    };
    // Go's errors hold the inner one under `Err`, beside what was done.
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

/// `{"Op":"dial","Net":"tcp","Addr":…,"Err":{…}}` is how Go writes the errors of its own packages.
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

/// Takes the values of other words for a part: texts, lists of texts, and of an error its headline.
fn take_words(
    given: &mut Map<String, Value>,
    words: &[&str],
    part: usize,
    level: usize,
    parts: &mut Parts,
) {
    for word in words {
        for name in names(given, |name| name == *word) {
            // A headline is one, and the name of an error stands before its message.
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

/// `TypeError` before its message, unless the message says it.
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
