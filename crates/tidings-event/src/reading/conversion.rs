//! Values of another type than documented, converted to the type of their field.

use serde_json::Value;

use crate::event::Metadata;
use crate::warning::{Warning, WarningCode, warn};

/// A text as it is, and any other value as JSON.
pub(super) fn plain_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Converts a description of any type to a text: a list to lines, other values to JSON.
pub(super) fn text(value: Value, warnings: &mut Vec<Warning>) -> String {
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
pub(super) fn object(value: Value, warnings: &mut Vec<Warning>) -> Metadata {
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
