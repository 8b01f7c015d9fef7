//! Reads an event from JSON: with the fast parser if it has the documented form, otherwise with the
//! tolerant one.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::careful::{self, Fields};
use crate::event::Metadata;
use crate::given::Given;
use crate::id::ResourceId;
use crate::new_event::NewEvent;
use crate::number;
use crate::past::Past;
use crate::rules::Limits;
use crate::warning::{Warning, WarningCode, warn};

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

/// The names of the owner, in lower case without separators.
const OWNER: [&str; 3] = ["owner", "userid", "ownerid"];

/// The names of the owner's subject, including the claim of a token.
const SUBJECT: [&str; 2] = ["subject", "sub"];

/// The names of the issuer of the subject.
const ISSUER: [&str; 2] = ["issuer", "iss"];

/// The documented names of the fields.
const DOCUMENTED: [&str; 14] = [
    "id",
    "owner",
    "subject",
    "issuer",
    "systemId",
    "operationId",
    "actedUpon",
    "category",
    "action",
    "severity",
    "description",
    "metadata",
    "createdAt",
    "updatedAt",
];

/// A name in lower case without separators: `actedUpon`, `acted_upon` and `ActedUpon` become one.
fn folded(name: &str) -> String {
    let letters = name
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a field's name has another spelling than documented. The derived parser would ignore some of
/// these, for example `Subject`, which names the owner.
fn is_spelled_otherwise(name: &str) -> bool {
    if DOCUMENTED.contains(&name) || name == "status" {
        return false;
    }
    let name = folded(name);
    let others = OWNER
        .iter()
        .chain(&SUBJECT)
        .chain(&ISSUER)
        .chain(&["status"]);
    DOCUMENTED
        .iter()
        .any(|documented| documented.eq_ignore_ascii_case(&name))
        || others.into_iter().any(|other| *other == name)
}

/// Checks only the names of an object's fields.
struct Spellings {
    has_other: bool,
}

impl<'de> Deserialize<'de> for Spellings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SpellingsVisitor)
    }
}

struct SpellingsVisitor;

impl<'de> Visitor<'de> for SpellingsVisitor {
    type Value = Spellings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spellings, A::Error> {
        let mut has_other = false;
        while let Some((IsOther(is_other), IgnoredAny)) = map.next_entry()? {
            has_other |= is_other;
        }
        Ok(Spellings { has_other })
    }
}

/// A name borrowed from the request.
struct IsOther(bool);

impl<'de> Deserialize<'de> for IsOther {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IsOtherVisitor)
    }
}

struct IsOtherVisitor;

impl Visitor<'_> for IsOtherVisitor {
    type Value = IsOther;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<IsOther, E> {
        Ok(IsOther(is_spelled_otherwise(name)))
    }
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

/// A text as it is, and any other value as JSON.
fn plain_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Converts a description of any type to a text: a list to lines, other values to JSON.
fn text(value: Value, warnings: &mut Vec<Warning>) -> String {
    let (text, kind) = match value {
        Value::String(text) => return text,
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_array() && !item.is_object()) =>
        {
            let lines: Vec<String> = items.into_iter().map(plain_text).collect();
            (lines.join("\n"), "a list is stored as lines of text")
        }
        other @ (Value::Array(_) | Value::Object(_)) => {
            (other.to_string(), "an object is stored as a JSON text")
        }
        other => (other.to_string(), "a number or boolean is stored as a text"),
    };
    warn(warnings, "description", WarningCode::Converted, kind);
    text
}

/// Converts metadata of any type to an object: a text is parsed, other values get the key `value`.
fn object(value: Value, warnings: &mut Vec<Warning>) -> Metadata {
    let value = match value {
        Value::Object(object) => return object,
        other => other,
    };
    if let Some(Value::Object(object)) = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
    {
        let message = "a text that holds a JSON object is stored as the object";
        warn(warnings, "metadata", WarningCode::Converted, message);
        return object;
    }
    let message = "is not an object; it is stored under the key `value`";
    warn(warnings, "metadata", WarningCode::Converted, message);
    Metadata::from_iter([("value".to_owned(), value)])
}

fn has_double(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_double),
        Value::Object(object) => object.values().any(has_double),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: &str) -> NewEvent {
        NewEvent::read(json, &Limits::default()).unwrap()
    }

    fn warned(event: &NewEvent) -> Vec<(&str, WarningCode)> {
        let warnings = event.warnings.iter();
        warnings
            .map(|warning| (warning.field.as_str(), warning.code))
            .collect()
    }

    #[test]
    fn converts_other_types() {
        use WarningCode::Converted;
        for (given, description) in [
            ("5", "5"),
            ("true", "true"),
            ("[\"a\",\"b\",3]", "a\nb\n3"),
            ("{\"a\":[1]}", "{\"a\":[1]}"),
        ] {
            let event = read(&format!("{{\"description\": {given}}}"));
            assert_eq!(event.description.as_deref(), Some(description), "{given}");
            assert_eq!(warned(&event), [("description", Converted)]);
        }
        for (given, metadata) in [
            ("[1,2]", json!({"value": [1, 2]})),
            ("\"x\"", json!({"value": "x"})),
            ("7", json!({"value": 7})),
            ("\"{\\\"a\\\":1}\"", json!({"a": 1})),
        ] {
            let event = read(&format!("{{\"metadata\": {given}}}"));
            assert_eq!(
                Value::from(event.metadata.clone().unwrap()),
                metadata,
                "{given}"
            );
            assert_eq!(warned(&event), [("metadata", Converted)]);
        }
        let event =
            read("{\"severity\": 3, \"createdAt\": 1785578400, \"id\": 42, \"category\": null}");
        assert_eq!(event.severity, Given::Malformed("3".into()));
        assert_eq!(event.created_at, Given::Malformed("1785578400".into()));
        assert_eq!(event.id, Given::Malformed("42".into()));
        assert!(event.category.is_absent());
    }

    #[test]
    fn warns_about_a_duplicate_key() {
        let event = read("{\"metadata\": {\"a\": 1, \"a\": 2}}");
        assert_eq!(
            Value::from(event.metadata.clone().unwrap()),
            json!({"a": 2})
        );
        assert_eq!(warned(&event), [("metadata", WarningCode::Duplicate)]);
        let event = read("{\"description\": \"a\", \"description\": \"b\"}");
        assert_eq!(event.description.as_deref(), Some("b"));
        assert_eq!(warned(&event), [("description", WarningCode::Duplicate)]);
        // Equal values in two spellings, or one empty value, are accepted.
        let one = "7b1d2c3e-0000-4000-8000-000000000001";
        let upper = one.to_uppercase();
        let same = read(&format!(
            "{{\"owner\": \"{one}\", \"userId\": \"{upper}\", \"user_id\": null}}"
        ));
        assert!(matches!(same.owner, Given::Value(_)));
        let doubt = read(&format!("{{\"owner\": \"{one}\", \"userId\": \"system\"}}"));
        assert!(matches!(doubt.owner, Given::Malformed(_)));
    }

    #[test]
    fn keeps_the_digits_of_numbers() {
        let event =
            read("{\"metadata\": {\"a\": 12345678901234567890123, \"b\": 0.5, \"c\": 1e5}}");
        let expected = json!({"a": "12345678901234567890123", "b": 0.5, "c": 1e5});
        assert_eq!(Value::from(event.metadata.clone().unwrap()), expected);
        assert_eq!(warned(&event), [("metadata.a", WarningCode::Converted)]);
        assert!(read("{\"metadata\": {\"b\": 0.5}}").warnings.is_empty());
    }

    #[test]
    fn reads_the_same_event_with_both_parsers() {
        let text = json!({
            "id": "7b1d2c3e-0000-4000-8000-000000000001", "user_id": "system",
            "operationID": "7b1d2c3e-0000-4000-8000-000000000002", "severity": "info",
            "description": "é\n", "metadata": {"a": [1, null, {"b": "c"}]}, "status": "read",
            "updatedAt": "2026-08-01T10:00:00Z", "subject": "", "unknown": {}
        })
        .to_string();
        let limits = Limits::default();
        let fast = NewEvent::read_with_past(&text, &limits).unwrap();
        let small = Limits {
            event_bytes: 0,
            ..limits
        };
        assert_eq!(NewEvent::read_with_past(&text, &small).unwrap(), fast);
    }

    #[test]
    fn accepts_every_spelling_of_a_field() {
        let user = "7b1d2c3e-0000-4000-8000-000000000001";
        for name in [
            "OWNER", "user-id", "userid", "USER_ID", "ownerId", "owner_id",
        ] {
            let event = read(&format!("{{\"{name}\": \"{user}\"}}"));
            assert!(matches!(event.owner, Given::Value(_)), "{name}");
        }
        for name in ["Subject", "SUBJECT", "sub", "sub_ject"] {
            let event = read(&format!(
                "{{\"{name}\": \"alice\", \"Iss\": \"https://a\"}}"
            ));
            assert_eq!(event.subject, Given::Value("alice".into()), "{name}");
            assert_eq!(event.issuer, Given::Value("https://a".into()));
        }
        let event = read(&format!(
            "{{\"acted-upon\": \"{user}\", \"SEVERITY\": \"error\", \"CATEGORY\": \"a\"}}"
        ));
        assert!(matches!(event.acted_upon, Given::Value(_)));
        assert!(matches!(event.severity, Given::Value(_)));
        assert!(matches!(event.category, Given::Value(_)));
        let json = "{\"STATUS\": \"read\", \"UPDATED_AT\": \"2026-08-01T10:00:00Z\"}";
        let (_, past) = NewEvent::read_with_past(json, &Limits::default()).unwrap();
        assert!(matches!(past.status, Given::Value(_)));
        assert!(matches!(past.updated_at, Given::Value(_)));
    }

    #[test]
    fn accepts_one_value_in_two_forms() {
        let one = "7b1d2c3e-0000-4000-8000-000000000001";
        let bare = one.replace('-', "").to_uppercase();
        for other in [bare.as_str(), "00000000-0000-0000-0000-000000000000"] {
            let event = read(&format!(
                "{{\"actedUpon\": \"{one}\", \"acted_upon\": \"{other}\"}}"
            ));
            assert!(
                matches!(event.acted_upon, Given::Value(id) if !id.is_nil()),
                "{other}"
            );
        }
        // Subjects are case-sensitive.
        let event = read("{\"subject\": \"alice\", \"Subject\": \"Alice\"}");
        assert!(matches!(event.subject, Given::Malformed(_)));
    }

    #[test]
    fn rejects_a_subject_that_is_not_a_text() {
        for given in ["[\"alice\"]", "{\"sub\": \"alice\"}", "true"] {
            let event = read(&format!("{{\"subject\": {given}}}"));
            assert!(matches!(event.subject, Given::Malformed(_)), "{given}");
        }
        assert_eq!(read("{\"subject\": 42}").subject, Given::Value("42".into()));
    }

    #[test]
    fn rejects_everything_but_an_object() {
        for text in ["", "5", "[]", "[\"a\"]", "null", "{", "{} {}"] {
            assert!(NewEvent::read(text, &Limits::default()).is_err(), "{text}");
        }
    }
}
