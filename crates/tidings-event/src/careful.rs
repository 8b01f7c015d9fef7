//! A tolerant JSON parser, for documents that `serde_json` rejects or would change silently.
//!
//! Half of a surrogate pair becomes U+FFFD. A number that does not fit into a double becomes a text. The
//! last value of a duplicate key is kept. Values that are nested too deeply or are too many become JSON
//! texts. The memory use is bounded by the length of the document.

#[cfg(test)]
mod tests;
mod text;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::number;
use crate::warning::{Warning, WarningCode, warn};
use text::{end_of_text, unescaped};

/// The maximum number of parsed values: about as many as an event of the default size can have.
const MAX_VALUES: usize = 65_536;

/// The number of values of a cause that are parsed even if there are too many others.
const CAUSE_VALUES: usize = 1_024;

/// The maximum length of a key in a warning, in characters.
const FIELD_CHARS: usize = 80;

/// The fields of an object in their order, including duplicates.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) fields: Vec<(String, Value)>,
    pub(crate) warnings: Vec<Warning>,
}

/// Reads an object. `None` if `json` is not a JSON object. Containers deeper than `depth` levels become
/// texts; the object is the first level.
pub(crate) fn fields(json: &str, depth: usize) -> Option<Fields> {
    // The parser below has no errors, because this check ensures valid JSON.
    serde_json::from_str::<IgnoredAny>(json).ok()?;
    let mut parser = Parser {
        json,
        at: 0,
        depth,
        values: MAX_VALUES,
        cause_values: CAUSE_VALUES,
        field: String::new(),
        warnings: Vec::new(),
    };
    parser.skip_space();
    if parser.peek() != b'{' {
        return None;
    }
    let fields = parser.object(1);
    Some(Fields {
        fields,
        warnings: parser.warnings,
    })
}

struct Parser<'a> {
    json: &'a str,
    at: usize,
    depth: usize,
    /// The number of values that can still be parsed.
    values: usize,
    /// The same for a cause.
    cause_values: usize,
    /// The current field of the event, for warnings.
    field: String,
    warnings: Vec<Warning>,
}

impl<'a> Parser<'a> {
    /// The next byte; 0 at the end.
    fn peek(&self) -> u8 {
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Consumes `byte` and the surrounding space if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == byte;
        if is_next {
            self.at += 1;
            self.skip_space();
        }
        is_next
    }

    fn warn(&mut self, code: WarningCode, message: &str) {
        warn(&mut self.warnings, &self.field, code, message);
    }

    /// Reads an object, starting at its brace, at this level.
    fn object(&mut self, level: usize) -> Vec<(String, Value)> {
        let mut entries = Vec::new();
        self.take(b'{');
        while self.peek() != b'}' && self.at < self.json.len() {
            // Warnings name the fields of the event and the keys of the metadata only.
            let length = self.field.len();
            let key = self.text();
            if level <= 2 {
                if level == 2 {
                    self.field.push('.');
                }
                self.field.extend(key.chars().take(FIELD_CHARS));
            }
            self.take(b':');
            let value = self.value(level + 1);
            self.field.truncate(length);
            entries.push((key, value));
            self.take(b',');
        }
        self.take(b'}');
        entries
    }

    fn value(&mut self, level: usize) -> Value {
        self.skip_space();
        self.values = self.values.saturating_sub(1);
        if self.values == 0 && self.field == "metadata.error" {
            self.values = std::mem::take(&mut self.cause_values);
        }
        match self.peek() {
            b'{' | b'[' if level > self.depth => {
                self.warn(
                    WarningCode::Converted,
                    "a value that is nested too deeply is stored as a JSON text",
                );
                self.container().into()
            }
            b'{' if self.values == 0 => self.rest(),
            b'[' if self.values == 0 => self.rest(),
            b'{' => {
                let entries = self.object(level);
                let given = entries.len();
                let object: Map<String, Value> = entries.into_iter().collect();
                if object.len() < given {
                    self.warn(
                        WarningCode::Duplicate,
                        "has a key twice; the last value is stored",
                    );
                }
                Value::Object(object)
            }
            b'[' => self.array(level),
            b'"' => self.text().into(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    /// A container as a text, because there are too many values.
    fn rest(&mut self) -> Value {
        self.warn(
            WarningCode::Converted,
            "has too many values; some are stored as a JSON text",
        );
        self.container().into()
    }

    fn array(&mut self, level: usize) -> Value {
        self.take(b'[');
        let mut items = Vec::new();
        while self.peek() != b']' && self.at < self.json.len() {
            if self.values == 0 {
                self.warn(
                    WarningCode::Converted,
                    "has too many values; some are stored as a JSON text",
                );
                let start = self.at;
                let end = self.end_of_container();
                items.push(self.json[start..end].into());
                self.at = end;
                break;
            }
            items.push(self.value(level + 1));
            self.take(b',');
        }
        self.take(b']');
        Value::Array(items)
    }

    fn word(&mut self, word: &str, value: Value) -> Value {
        self.at += word.len();
        value
    }

    fn number(&mut self) -> Value {
        let rest = &self.json[self.at..];
        let length = rest
            .find(|character: char| !matches!(character, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        // At least one character, so that the parser always advances.
        let length = length.max(rest.chars().next().map_or(0, char::len_utf8));
        let value = number::exact(&rest[..length]);
        self.at += length;
        if value.is_string() {
            self.warn(
                WarningCode::Converted,
                "a number with more digits than a double holds is stored as a text",
            );
        }
        value
    }

    /// Reads a text, starting at its quote.
    fn text(&mut self) -> String {
        self.skip_space();
        let start = self.at + 1;
        self.at = end_of_text(self.json.as_bytes(), self.at);
        let inner = &self.json[start.min(self.at)..self.at.saturating_sub(1).max(start)];
        match unescaped(inner) {
            (text, false) => text.into_owned(),
            (text, true) => {
                self.warn(
                    WarningCode::CharactersReplaced,
                    "half of a surrogate pair is replaced by U+FFFD",
                );
                text.into_owned()
            }
        }
    }

    /// Consumes a container, starting at its bracket, and returns its JSON.
    fn container(&mut self) -> &'a str {
        let start = self.at;
        self.at += 1;
        self.at = (self.end_of_container() + 1).min(self.json.len());
        &self.json[start..self.at]
    }

    /// The position of the closing bracket of the current container.
    fn end_of_container(&self) -> usize {
        let bytes = self.json.as_bytes();
        let mut at = self.at;
        let mut open = 1;
        while at < bytes.len() {
            match bytes[at] {
                b'"' => {
                    at = end_of_text(bytes, at);
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        at
    }
}
