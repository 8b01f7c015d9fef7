//! Reads an event from JSON: with the fast parser if it has the documented form, otherwise with the
//! tolerant one.

mod conversion;
mod own_fields;
mod spelling;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use serde::de::Error as _;
use serde_json::Value;

use crate::careful::{self, Fields};
use crate::event::Metadata;
use crate::given::Given;
use crate::id::ResourceId;
use crate::new_event::NewEvent;
use crate::number;
use crate::past::Past;
use crate::rules::Limits;
use crate::warning::{WarningCode, warn};
use conversion::{object, plain_text, text};
pub(crate) use own_fields::OwnFields;
use spelling::{ISSUER, OWNER, SUBJECT, Spellings, folded};

impl NewEvent {
    /// Reads an event from JSON. A field of another type than documented is converted and reported in
    /// [`NewEvent::warnings`].
    ///
    /// # Errors
    ///
    /// `json` is not a JSON object.
    pub fn read(json: &str, limits: &Limits) -> Result<Self, serde_json::Error> {
        match read_fast(json, limits) {
            Ok(event) => Ok(event),
            Err(error) => match read_fields(json, limits) {
                Some(mut fields) => Ok(Self::of_fields(&mut fields)),
                None => Err(fault(json, error)),
            },
        }
    }

    /// Same as [`NewEvent::read`], with the history of the event in another store.
    ///
    /// # Errors
    ///
    /// `json` is not a JSON object.
    pub fn read_with_past(json: &str, limits: &Limits) -> Result<(Self, Past), serde_json::Error> {
        let read = read_fast(json, limits)
            .and_then(|event| Ok((event, serde_json::from_str::<Past>(json)?)));
        match read {
            Ok(both) => Ok(both),
            Err(error) => {
                let Some(mut fields) = read_fields(json, limits) else {
                    return Err(fault(json, error));
                };
                let past = Past {
                    status: given(&mut fields, &["status"]),
                    updated_at: given(&mut fields, &["updatedat"]),
                };
                Ok((Self::of_fields(&mut fields), past))
            }
        }
    }

    /// Same as [`NewEvent::read`], with the fields that only an update has.
    pub(crate) fn read_update(
        json: &str,
        limits: &Limits,
    ) -> Result<(Self, OwnFields), serde_json::Error> {
        let read = read_fast(json, limits)
            .and_then(|event| Ok((event, serde_json::from_str::<OwnFields>(json)?)));
        match read {
            Ok(both) => Ok(both),
            Err(error) => {
                let Some(mut fields) = read_fields(json, limits) else {
                    return Err(fault(json, error));
                };
                let own = own_fields(&mut fields);
                Ok((Self::of_fields(&mut fields), own))
            }
        }
    }

    fn of_fields(fields: &mut Fields) -> Self {
        let mut event = Self {
            id: given(fields, &["id"]),
            owner: one(fields, &OWNER),
            subject: name_of_user(fields, &SUBJECT),
            issuer: name_of_user(fields, &ISSUER),
            system_id: given(fields, &["systemid"]),
            operation_id: given(fields, &["operationid"]),
            acted_upon: one(fields, &["actedupon"]),
            category: given(fields, &["category"]),
            action: given(fields, &["action"]),
            severity: given(fields, &["severity"]),
            created_at: given(fields, &["createdat"]),
            expires_at: given(fields, &["expiresat"]),
            ..Self::default()
        };
        let description = taken(fields, &["description"]);
        let metadata = taken(fields, &["metadata"]);
        event.warnings = std::mem::take(&mut fields.warnings);
        event.description = description.map(|value| text(value, &mut event.warnings));
        event.metadata = metadata.map(|value| object(value, &mut event.warnings));
        event
    }
}

/// Takes the fields that only an update has.
fn own_fields(fields: &mut Fields) -> OwnFields {
    OwnFields {
        sequence: taken(fields, &["sequence"]),
        renotify: taken(fields, &["renotify"]),
        status: taken(fields, &["status"]),
        updated_at: taken(fields, &["updatedat"]),
        deleted_at: taken(fields, &["deletedat"]),
    }
}

/// Reads the documented form with the derived parser.
fn read_fast(json: &str, limits: &Limits) -> Result<NewEvent, serde_json::Error> {
    // The derived parser would accept an array of the fields. An event above its size limit is read by the
    // other parser, which bounds the memory.
    if json.trim_ascii_start().starts_with('[') || json.len() > limits.event_bytes {
        return Err(serde_json::Error::custom("not an event object"));
    }
    let event: NewEvent = serde_json::from_str(json)?;
    if serde_json::from_str::<Spellings>(json)?.has_other {
        return Err(serde_json::Error::custom("a field has another spelling"));
    }
    let rounds = |metadata: &Metadata| metadata.values().any(has_double) && number::may_round(json);
    if event.metadata.as_ref().is_some_and(rounds) {
        return Err(serde_json::Error::custom("a number was rounded"));
    }
    Ok(event)
}

/// The error of the derived parser, if it has one.
fn fault(json: &str, error: serde_json::Error) -> serde_json::Error {
    serde_json::from_str::<NewEvent>(json)
        .err()
        .unwrap_or(error)
}

fn read_fields(json: &str, limits: &Limits) -> Option<Fields> {
    // The event is one level above its metadata.
    let depth = limits.metadata_depth.min(Limits::MAX_METADATA_DEPTH) + 1;
    let mut fields = careful::fields(json, depth)?;
    for (key, _) in &mut fields.fields {
        *key = folded(key);
    }
    Some(fields)
}

/// Removes and returns the last value under any of these names. Warns if there are different values.
fn taken(fields: &mut Fields, names: &[&str]) -> Option<Value> {
    let mut values = all(fields, names);
    let last = values.pop()?;
    if values.iter().any(|value| *value != last) {
        warn(
            &mut fields.warnings,
            names[0],
            WarningCode::Duplicate,
            "is given more than once; the last value is stored",
        );
    }
    Some(last)
}

/// Removes and returns all values under these names, except `null` and empty texts.
fn all(fields: &mut Fields, names: &[&str]) -> Vec<Value> {
    let is_named = |key: &str| names.contains(&key);
    let values = fields.fields.extract_if(.., |(key, _)| is_named(key));
    values
        .map(|(_, value)| value)
        .filter(|value| !value.is_null() && value.as_str() != Some(""))
        .collect()
}

fn given<T: FromStr>(fields: &mut Fields, names: &[&str]) -> Given<T> {
    match taken(fields, names) {
        Some(value) => Given::parse(&plain_text(value)),
        None => Given::Absent,
    }
}

/// Reads a field that must not have two values, because they could name different users. The same value
/// in two forms is accepted, and the nil UUID is ignored beside another value.
fn one<T: FromStr + PartialEq>(fields: &mut Fields, names: &[&str]) -> Given<T> {
    let values = all(fields, names).into_iter().map(plain_text);
    let is_nil =
        |text: &String| matches!(Given::parse(text), Given::<ResourceId>::Value(id) if id.is_nil());
    let (nil, mut texts): (Vec<String>, Vec<String>) = values.partition(is_nil);
    if texts.is_empty() {
        texts = nil;
    }
    let Some((first, others)) = texts.split_first() else {
        return Given::Absent;
    };
    let given = Given::parse(first);
    match others.iter().find(|other| Given::parse(other) != given) {
        Some(other) => Given::Malformed(format!("{first} and {other}")),
        None => given,
    }
}

/// Reads the subject of a user or its issuer, which must be a text or a number.
fn name_of_user(fields: &mut Fields, names: &[&str]) -> Given<String> {
    let can_be = |value: &Value| matches!(value, Value::String(_) | Value::Number(_) | Value::Null);
    let other = fields
        .fields
        .iter()
        .find(|(key, value)| names.contains(&key.as_str()) && !can_be(value));
    match other {
        Some((_, value)) => Given::Malformed(value.to_string()),
        None => one(fields, names),
    }
}

fn has_double(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_double),
        Value::Object(object) => object.values().any(has_double),
        _ => false,
    }
}
