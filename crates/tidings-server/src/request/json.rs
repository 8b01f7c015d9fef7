//! Parses JSON. Every fault names its position.

mod error;
#[cfg(test)]
mod tests;

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
pub(crate) struct ObjectFields<'a> {
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
) -> Result<ObjectFields<'a>, Violation> {
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
    type Value = ObjectFields<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<ObjectFields<'de>, A::Error> {
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
        Ok(ObjectFields { first, count })
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
