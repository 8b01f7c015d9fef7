//! The code and the severity of a cause.

use serde_json::{Map, Value};

use super::names::names;
use super::shape::{into_text, is_blank};
use crate::cause::CauseSeverity;

pub(super) fn take_code(given: &mut Map<String, Value>, error: &mut Map<String, Value>) {
    let mut code = match given.remove("Code") {
        Some(code @ (Value::String(_) | Value::Number(_))) => into_text(code),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    for name in names(given, |name| {
        matches!(name, "code" | "errorcode" | "errcode")
    }) {
        if !code.is_empty() {
            break;
        }
        if matches!(given.get(&name), Some(Value::String(_) | Value::Number(_))) {
            code = given.remove(&name).map(into_text).unwrap_or_default();
        }
    }
    // An HTTP status serves as code and also keeps its own key.
    if let (true, Some(Value::Number(status))) = (code.is_empty(), given.get("status")) {
        code = status.to_string();
    }
    error.insert("Code".to_owned(), code.into());
}

/// Converts the severity to a number of `MeshKit`. An unknown word is kept under its own key.
pub(super) fn take_severity(given: &mut Map<String, Value>, error: &mut Map<String, Value>) {
    const NUMBERS: std::ops::RangeInclusive<u64> = 0..=4;
    let own = given.remove("Severity");
    let is_number = own
        .as_ref()
        .and_then(Value::as_u64)
        .filter(|number| NUMBERS.contains(number));
    let by_word = |value: &Value| {
        let word = value.as_str()?.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "emergency" | "emerg" | "panic" | "0" => CauseSeverity::Emergency,
            "none" | "1" => CauseSeverity::None,
            "alert" | "2" => CauseSeverity::Alert,
            "critical" | "crit" | "3" => CauseSeverity::Critical,
            "fatal" | "4" => CauseSeverity::Fatal,
            _ => return None,
        })
    };
    let other = given.get("severity").or_else(|| given.get("level"));
    let graded = is_number.or_else(|| {
        let word = own.as_ref().and_then(by_word).or_else(|| by_word(other?))?;
        Some(word.number().into())
    });
    let number = graded.unwrap_or_else(|| CauseSeverity::None.number().into());
    error.insert("Severity".to_owned(), number.into());
    // A word that the number cannot express, such as ERROR.
    let is_said = own.is_none()
        || own
            .as_ref()
            .is_some_and(|own| is_blank(own) || by_word(own).is_some());
    if let (false, None, Some(own)) = (is_said, is_number, own)
        && !given.contains_key("severity")
    {
        given.insert("severity".to_owned(), own);
    }
}
