//! Parses JSON. Every fault names its position.

mod error;

use serde::de::{DeserializeOwned, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use tidings_event::Violation;

pub(crate) use error::InvalidJson;

/// The longest message of a parser, and path to a fault, that is repeated. Either can quote the whole
/// document.
const QUOTED_CHARS: usize = 200;

/// The elements of an array, unparsed.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    /// The first elements, up to the requested number.
    pub(crate) first: Vec<&'a RawValue>,
    /// The total number.
    pub(crate) count: usize,
}

/// The fields of an object, unparsed.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// The first elements, up to the requested number.
    pub(crate) first: Vec<(String, &'a RawValue)>,
    /// The total number.
    pub(crate) count: usize,
}

/// The text of a document.
pub(crate) fn text(document: &[u8]) -> Result<&str, Violation> {
    std::str::from_utf8(document).map_err(|error| {
        let (line, column) = position(&document[..error.valid_up_to()]);
        let fault = format!("is not UTF-8 (line {line}, column {column})");
        Violation::new("body", fault, "encode it as UTF-8")
    })
}

/// Reads `part`, a piece of `document`. A violation names the field, after `prefix`, and the position in
/// the document.
///
/// Nesting is limited to the parser's 128 levels.
pub(crate) fn read<T: DeserializeOwned>(
    document: &str,
    part: &str,
    prefix: &str,
) -> Result<T, Violation> {
    serde_json::from_str(part).map_err(|error| fault_of::<T>(&error, document, part, prefix))
}

/// Why `part`, a piece of `document`, could not be read as a `T`.
pub(crate) fn fault_of<T: DeserializeOwned>(
    error: &serde_json::Error,
    document: &str,
    part: &str,
    prefix: &str,
) -> Violation {
    // Tracking the path costs as much as reading. Only a fault needs it.
    let path = path_of_fault::<T>(part).filter(|path| path != "." && path != "?");
    let path = shortened(path.unwrap_or_default());
    violation(error, document, part, field(prefix, &path))
}

/// The path of the fault in `part`. `None` for text after the value.
fn path_of_fault<T: DeserializeOwned>(part: &str) -> Option<String> {
    let mut parser = serde_json::Deserializer::from_str(part);
    let read = serde_path_to_error::deserialize::<_, T>(&mut parser);
    read.err().map(|error| error.path().to_string())
}

/// Splits an array, a `part` of a `document`, and keeps at most `most` of its elements: the rest is only
/// counted. A violation names the field `name`.
pub(crate) fn elements<'a>(
    document: &str,
    part: &'a str,
    name: &str,
    most: usize,
) -> Result<Elements<'a>, Violation> {
    let mut parser = serde_json::Deserializer::from_str(part);
    let read = parser.deserialize_seq(ElementsVisitor { most });
    let read = read.and_then(|elements| parser.end().map(|()| elements));
    read.map_err(|error| violation(&error, document, part, name.to_owned()))
}

/// Splits an object like [`elements`] an array.
pub(crate) fn fields<'a>(
    document: &str,
    part: &'a str,
    name: &str,
    most: usize,
) -> Result<Fields<'a>, Violation> {
    let mut parser = serde_json::Deserializer::from_str(part);
    let read = parser.deserialize_map(FieldsVisitor { most });
    let read = read.and_then(|fields| parser.end().map(|()| fields));
    read.map_err(|error| violation(&error, document, part, name.to_owned()))
}

struct ElementsVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Elements<'de>, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.most {
            match array.next_element()? {
                Some(element) => first.push(element),
                None => break,
            }
        }
        let mut count = first.len();
        while array.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Elements { first, count })
    }
}

struct FieldsVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields<'de>, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.most {
            match object.next_entry()? {
                Some(field) => first.push(field),
                None => break,
            }
        }
        let mut count = first.len();
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Fields { first, count })
    }
}

fn field(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", "") => "body".to_owned(),
        ("", path) => path.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}.{path}"),
    }
}

fn violation(error: &serde_json::Error, document: &str, part: &str, field: String) -> Violation {
    let mut message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if let Some(without_place) = message.strip_suffix(&place) {
        message.truncate(without_place.len());
    }
    let message = shortened(message);
    let (line, column) = within(document, part, error);
    let remedy = match error.classify() {
        Category::Data => "give it the documented JSON type",
        _ => "send complete JSON in the documented form",
    };
    let fault = format!("cannot be read: {message} (line {line}, column {column})");
    Violation::new(field, fault, remedy)
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(QUOTED_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The position in the document of a fault in its part.
fn within(document: &str, part: &str, error: &serde_json::Error) -> (usize, usize) {
    let start = part.as_ptr().addr() - document.as_ptr().addr();
    let (line, column) = position(&document.as_bytes()[..start]);
    match error.line() {
        // A fault at the start of the part has column 0.
        0 | 1 => (line, column - 1 + error.column().max(1)),
        later => (line + later - 1, error.column()),
    }
}

/// The line and the column, both from 1, after `text`.
fn position(text: &[u8]) -> (usize, usize) {
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    let last = text.rsplit(|byte| *byte == b'\n').next();
    (lines + 1, last.map_or(0, <[u8]>::len) + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn fault_of(document: &str) -> Violation {
        read::<BTreeMap<String, Vec<u8>>>(document, document, "").unwrap_err()
    }

    #[test]
    fn a_fault_names_its_field_and_position() {
        let wrong_type = fault_of("{\"a\": [1],\n \"b\": [2, true]}");
        assert_eq!(wrong_type.field, "b[1]");
        assert_eq!(
            wrong_type.fault,
            "cannot be read: invalid type: boolean `true`, expected u8 (line 2, column 14)"
        );
        assert_eq!(fault_of("{").field, "body");
        let truncated = fault_of("{\"a\": [1");
        assert!(truncated.fault.contains("EOF"), "{}", truncated.fault);
        assert!(
            truncated.fault.ends_with("(line 1, column 8)"),
            "{}",
            truncated.fault
        );
        assert!(fault_of("{} {}").fault.contains("trailing characters"));
    }

    #[test]
    fn a_fault_of_an_element_names_its_position_in_the_document() {
        let document = "[{},\n\n  {\"a\":\n true}]";
        let elements = elements(document, document, "body", 10).unwrap();
        assert_eq!(elements.count, 2);
        let second = elements.first[1].get();
        let fault = read::<BTreeMap<String, Vec<u8>>>(document, second, "[1]").unwrap_err();
        assert_eq!(fault.field, "[1].a");
        assert!(
            fault.fault.ends_with("(line 4, column 5)"),
            "{}",
            fault.fault
        );
        let same_line = read::<BTreeMap<String, u8>>("[1]", &"[1]"[1..2], "[0]").unwrap_err();
        assert!(
            same_line.fault.ends_with("(line 1, column 2)"),
            "{}",
            same_line.fault
        );
    }

    #[test]
    fn counts_the_elements_of_a_long_array_without_keeping_them() {
        let elements = elements("[1, 2, 3, 4]", "[1, 2, 3, 4]", "body", 2).unwrap();
        assert_eq!(elements.first.len(), 2);
        assert_eq!(elements.count, 4);
    }

    #[test]
    fn splits_and_counts_the_fields_of_an_object() {
        let document = "{\"a\": [1],\n \"a\": 2, \"b\": 3}";
        let fields = fields(document, document, "body", 2).unwrap();
        let names: Vec<_> = fields.first.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "a"]);
        assert_eq!(fields.first[0].1.get(), "[1]");
        assert_eq!(fields.count, 3);
        let part = &document[6..9];
        let fault = super::fields(document, part, "ids", 2).unwrap_err();
        assert_eq!(fault.field, "ids");
        assert!(
            fault.fault.ends_with("(line 1, column 7)"),
            "{}",
            fault.fault
        );
    }

    #[test]
    fn cuts_messages_that_quote_the_document() {
        let long = "x".repeat(10_000);
        let fault = fault_of(&format!("{{\"a\": \"{long}\"}}")).fault;
        assert!(fault.len() < 300, "{fault}");
        let field = fault_of(&format!("{{\"{long}\": [true]}}")).field;
        assert!(field.starts_with("xxx") && field.len() < 300, "{field}");
    }

    #[test]
    fn refuses_nesting_beyond_the_parsers_limit() {
        let deep = "[".repeat(100_000);
        assert!(elements(&deep, &deep, "body", 10).is_err());
        let closed = format!("[{}{}]", "[".repeat(200), "]".repeat(200));
        let element = elements(&closed, &closed, "body", 10).unwrap().first[0];
        let fault = read::<serde_json::Value>(&closed, element.get(), "[0]").unwrap_err();
        assert!(fault.fault.contains("recursion limit"), "{}", fault.fault);
    }
}
