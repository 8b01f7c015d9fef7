//! The shape in which a cause is stored.

use serde_json::{Map, Value};

use super::names::{bare, is_spelling};
use crate::cause::CauseSeverity;

/// The maximum length of a headline that is derived from a plain text, in characters.
const HEADLINE_CHARS: usize = 200;

/// The arrays every stored cause has; existing views crash if one is a string.
pub(super) const ARRAYS: [&str; 4] = [
    "ShortDescription",
    "LongDescription",
    "ProbableCause",
    "SuggestedRemediation",
];

/// Whether views read this key of a stored cause.
pub(crate) fn is_part(key: &str) -> bool {
    ARRAYS.contains(&key) || matches!(key, "Code" | "Severity")
}

/// Whether a cause has no text for a user.
pub(crate) fn says_nothing(given: &Value) -> bool {
    match given {
        Value::Object(object) => object
            .iter()
            .all(|(key, value)| key == "Severity" || is_blank(value)),
        other => is_blank(other),
    }
}

pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(object) => object.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether an error already has the stored shape and at least one text.
pub(super) fn is_normal(error: &Map<String, Value>) -> bool {
    let is_text = |value: &Value| value.is_string();
    let texts = |key: &str| match error.get(key) {
        Some(Value::Array(items)) if items.iter().all(is_text) => Some(items.len()),
        _ => None,
    };
    let Some(texts) = ARRAYS.iter().map(|key| texts(key)).sum::<Option<usize>>() else {
        return false;
    };
    let is_spelled_otherwise = |key: &String| {
        let name = bare(key);
        ARRAYS
            .iter()
            .any(|part| is_spelling(&name, part) && key != part)
    };
    texts > 0
        && error.get("Code").is_some_and(is_text)
        && error.get("Severity").is_some_and(Value::is_u64)
        && !error.keys().any(is_spelled_otherwise)
}

/// The four lists of texts.
#[derive(Default)]
pub(super) struct Parts(pub(super) [Vec<String>; ARRAYS.len()]);

impl Parts {
    pub(super) const SHORT: usize = 0;
    pub(super) const LONG: usize = 1;
    pub(super) const CAUSE: usize = 2;
    pub(super) const REMEDY: usize = 3;

    /// Adds the texts of a value, except those that the part already has.
    pub(super) fn add(&mut self, part: usize, value: Value) {
        let texts = match value {
            Value::Null => return,
            Value::Array(items) => items.into_iter().map(into_text).collect(),
            single => vec![into_text(single)],
        };
        // The documented spelling is stored unchanged, even with duplicates.
        if self.0[part].is_empty() {
            self.0[part] = texts;
            return;
        }
        for text in texts {
            if !self.0[part].contains(&text) && !text.trim().is_empty() {
                self.0[part].push(text);
            }
        }
    }

    pub(super) fn into_arrays(self) -> impl Iterator<Item = (String, Value)> {
        let keys = ARRAYS.iter().map(|key| (*key).to_owned());
        keys.zip(self.0.into_iter().map(Value::from))
    }
}

pub(super) fn wrapped(given: Value) -> Map<String, Value> {
    let paragraphs: Vec<String> = match given {
        Value::Array(items) => items
            .into_iter()
            .filter(|item| !item.is_null())
            .map(into_text)
            .collect(),
        single => vec![into_text(single)],
    };
    let headline = paragraphs
        .first()
        .and_then(|text| text.lines().next())
        .unwrap_or_default();
    let headline: String = headline.chars().take(HEADLINE_CHARS).collect();
    Map::from_iter([
        ("Code".to_owned(), "".into()),
        ("Severity".to_owned(), CauseSeverity::None.number().into()),
        ("ShortDescription".to_owned(), vec![headline].into()),
        ("LongDescription".to_owned(), paragraphs.into()),
        ("ProbableCause".to_owned(), Value::Array(Vec::new())),
        ("SuggestedRemediation".to_owned(), Value::Array(Vec::new())),
    ])
}

/// Converts a value to a text; an object with only a message to that message.
pub(super) fn into_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Object(object) => {
            let message = ["message", "msg", "text", "description", "title"]
                .iter()
                .find_map(|key| object.get(*key)?.as_str());
            match message {
                Some(message) if object.len() == 1 => message.to_owned(),
                _ => Value::Object(object).to_string(),
            }
        }
        other => other.to_string(),
    }
}
