//! Reads events from JSON. A fault names its position.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::value::RawValue;
use tidings_client::PastEvent;
use tidings_event::{EventId, Given, Limits, NewEvent};

/// The longest part of the parser's message that is shown, in characters. The message can quote a whole
/// line.
const MESSAGE_CHARS: usize = 200;

/// The reason why a text is not an event: the field, and the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// The events of a document.
#[derive(Debug, PartialEq)]
pub(crate) enum Document {
    One(Box<NewEvent>),
    Batch(Vec<NewEvent>),
}

/// Reads one event or an array of them.
pub(crate) fn read(text: &str) -> Result<Document, Unreadable> {
    // The first character selects the type, so that a fault names the position within it.
    if !text.trim_ascii_start().starts_with('[') {
        return read_event(text).map(|event| Document::One(Box::new(event)));
    }
    let elements: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(elements) => elements,
        Err(_) => return Err(fault::<Vec<Object>>(text)),
    };
    let elements = elements.into_iter().enumerate();
    let events = elements.map(|(index, element)| {
        read_event(element.get())
            .map_err(|Unreadable(fault)| Unreadable(format!("[{index}] {fault}")))
    });
    events.collect::<Result<_, _>>().map(Document::Batch)
}

/// Reads one event. Deviations from the documented form are repaired if possible.
pub(crate) fn read_event(text: &str) -> Result<NewEvent, Unreadable> {
    NewEvent::read(text, &Limits::default()).map_err(|_| fault::<Object>(text))
}

/// Reads one event with its times and status.
pub(crate) fn read_past_event(text: &str) -> Result<PastEvent, Unreadable> {
    let read = NewEvent::read_with_past(text, &Limits::default());
    let (event, past) = read.map_err(|_| fault::<Object>(text))?;
    Ok(PastEvent::new(event, past))
}

/// Gives the event an id unless it has one, so that sending it again stores nothing twice. Returns true
/// if the id is new, so that no stored event can have it.
pub(crate) fn mint_id(event: &mut NewEvent) -> bool {
    // The nil UUID means "none".
    let is_new = match &event.id {
        Given::Absent => true,
        Given::Value(id) => id.is_nil(),
        Given::Malformed(_) => false,
    };
    if is_new {
        event.id = EventId::mint().into();
    }
    is_new
}

/// A JSON object, for the message about a value of another type.
struct Object;

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> serde::de::Visitor<'de> for ObjectVisitor {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an event object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(map);
                <serde::de::IgnoredAny as serde::Deserialize>::deserialize(fields).map(|_| Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// Describes why a text is not a `T`.
fn fault<T: DeserializeOwned>(text: &str) -> Unreadable {
    let mut parser = serde_json::Deserializer::from_str(text);
    let mut path = None;
    let read = serde_path_to_error::deserialize::<_, T>(&mut parser).map_err(|error| {
        path = Some(error.path().to_string()).filter(|path| path != ".");
        error.into_inner()
    });
    match read.and_then(|_| parser.end()) {
        Ok(()) => Unreadable("is not an event".to_owned()),
        Err(error) => unreadable(&error, path, text.lines().nth(1).is_some()),
    }
}

fn unreadable(error: &serde_json::Error, path: Option<String>, has_lines: bool) -> Unreadable {
    let (line, column) = (error.line(), error.column());
    let mut message = error.to_string();
    if let Some(without_place) = message.strip_suffix(&format!(" at line {line} column {column}")) {
        message.truncate(without_place.len());
    }
    if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS) {
        message.truncate(end);
        message.push('…');
    }
    let place = match (line, column) {
        // The parser's position before the first character.
        (0 | 1, 0) => String::new(),
        (line, 0) => format!(" (line {line})"),
        _ if has_lines => format!(" (line {line}, column {column})"),
        _ => format!(" (column {column})"),
    };
    let fault = match (error.classify(), path) {
        (Category::Data, Some(path)) => format!("{path} cannot be read: {message}"),
        (Category::Data, None) => format!("is not an event: {message}"),
        _ => format!("is not JSON: {message}"),
    };
    Unreadable(fault + &place)
}

#[cfg(test)]
mod tests {
    use tidings_event::Status;

    use super::*;

    fn fault(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn reads_one_event_or_an_array() {
        let mut one = NewEvent::default();
        one.description = Some("a".into());
        let json = " {\"description\": \"a\", \"unknown\": 1} ";
        assert_eq!(read(json).unwrap(), Document::One(Box::new(one.clone())));
        let both = format!("\n[{json},{json}]");
        let batch = Document::Batch(vec![one.clone(), one]);
        assert_eq!(read(&both).unwrap(), batch);
    }

    #[test]
    fn fault_names_its_position_and_cause() {
        for (text, expected) in [
            ("", "is not JSON: EOF while parsing a value"),
            (
                "{\"id\"",
                "is not JSON: EOF while parsing an object (column 5)",
            ),
            ("{} {}", "is not JSON: trailing characters (column 4)"),
            (
                "1",
                "is not an event: invalid type: integer `1`, expected an event object (column 1)",
            ),
            (
                "[{},\n[]]",
                "[1] is not an event: invalid type: sequence, expected an event object",
            ),
        ] {
            assert_eq!(fault(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_an_event_with_its_times_and_status() {
        let event = read_past_event("{\"description\": \"a\", \"status\": \"read\"}").unwrap();
        assert_eq!(event.event.description.as_deref(), Some("a"));
        assert_eq!(event.past.status, Given::Value(Status::Read));
        assert!(event.past.updated_at.is_absent());
        let odd = read_past_event("{\"status\": 5, \"description\": 5}").unwrap();
        assert_eq!(odd.past.status, Given::Malformed("5".to_owned()));
        assert_eq!(odd.event.description.as_deref(), Some("5"));
        assert_eq!(odd.event.warnings.len(), 1);
    }

    #[test]
    fn rejects_an_array_as_an_event() {
        let fault = read_event("[\"a\", \"b\"]").unwrap_err().to_string();
        assert!(fault.contains("expected an event object"), "{fault}");
    }

    #[test]
    fn fault_shortens_a_long_line() {
        let fault = fault(&format!("\"{}\"", "x".repeat(10_000)));
        assert!(fault.len() < 300, "{fault}");
    }

    #[test]
    fn mints_a_missing_id() {
        for (text, minted) in [
            ("{}", true),
            ("{\"id\":\"00000000-0000-0000-0000-000000000000\"}", true),
            ("{\"id\":\"7b1d2c3e-0000-4000-8000-000000000001\"}", false),
            ("{\"id\":\"x\"}", false),
        ] {
            let mut event = read_event(text).unwrap();
            let before = event.id.clone();
            assert_eq!(mint_id(&mut event), minted, "{text}");
            assert_eq!(event.id != before, minted, "{text}");
        }
    }
}
