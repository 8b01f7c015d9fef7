//! Several errors as one cause.

use serde_json::{Map, Value};

use super::shape::ARRAYS;

/// Adds another error. Lists and codes are joined; for every other key the first value is kept.
pub(super) fn add_error(error: &mut Map<String, Value>, other: Map<String, Value>) {
    for (key, value) in other {
        match (error.get_mut(&key), value) {
            (Some(Value::Array(texts)), Value::Array(more)) if ARRAYS.contains(&key.as_str()) => {
                for text in more {
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
            }
            (Some(Value::String(code)), Value::String(other)) if key == "Code" => {
                if code.is_empty() {
                    *code = other;
                } else if !other.is_empty() && !code.split(", ").any(|one| one == other) {
                    code.push_str(", ");
                    code.push_str(&other);
                }
            }
            (Some(Value::Number(number)), Value::Number(other)) if key == "Severity" => {
                // 1 means "not graded".
                if number.as_u64() == Some(1) {
                    *number = other;
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                error.insert(key, value);
            }
        }
    }
}
