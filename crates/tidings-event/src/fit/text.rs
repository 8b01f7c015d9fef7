//! Cutting and cleaning texts.

use serde_json::Value;

/// The end of a cut text.
pub(super) const ELLIPSIS: &str = "…";

/// Cuts a text to at most this many bytes, including an ellipsis.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes.saturating_sub(ELLIPSIS.len()));
    [&text[..end], ELLIPSIS].concat()
}

pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

pub(super) fn value_without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => without_nul(text).into(),
        Value::Array(items) => items.into_iter().map(value_without_nul).collect(),
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| (without_nul(key), value_without_nul(value)))
            .collect(),
        other => other,
    }
}
