//! The length to which texts are cut, and the resulting size.

use serde_json::Value;

use super::keys::TRUNCATED;
use super::text::ELLIPSIS;
use crate::event::Metadata;

/// The keys that are cut last.
const ESSENTIAL: [&str; 3] = ["error", "doc", TRUNCATED];

/// The length to which texts are cut, in bytes of JSON.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) bytes: usize,
    /// The minimum length of essential texts.
    pub(super) essential: usize,
}

impl Level {
    pub(super) fn of(self, key: &str) -> Self {
        let bytes = if is_essential(key) {
            self.bytes.max(self.essential)
        } else {
            self.bytes
        };
        Self { bytes, ..self }
    }

    /// The size of the JSON after cutting.
    pub(super) fn size(self, metadata: &Metadata) -> usize {
        let entries = metadata.iter();
        let sizes =
            entries.map(|(key, value)| text_size(key) + 2 + self.of(key).size_of_value(value));
        2 + sizes.sum::<usize>()
    }

    pub(super) fn size_of_value(self, value: &Value) -> usize {
        match value {
            Value::String(text) => match self.end(text) {
                Some(end) => text_size(&text[..end]) + ELLIPSIS.len(),
                None => text_size(text),
            },
            Value::Array(items) => {
                2 + items
                    .iter()
                    .map(|item| self.size_of_value(item) + 1)
                    .sum::<usize>()
            }
            Value::Object(object) => {
                2 + object
                    .iter()
                    .map(|(key, value)| text_size(key) + 2 + self.size_of_value(value))
                    .sum::<usize>()
            }
            Value::Number(number) => number.to_string().len(),
            Value::Null | Value::Bool(_) => 5,
        }
    }

    pub(super) fn cut(self, metadata: &mut Metadata) {
        for (key, value) in metadata.iter_mut() {
            self.of(key).cut_value(value);
        }
    }

    fn cut_value(self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(end) = self.end(text) {
                    text.truncate(end);
                    text.push_str(ELLIPSIS);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.cut_value(item)),
            Value::Object(object) => object.values_mut().for_each(|value| self.cut_value(value)),
            _ => {}
        }
    }

    /// The position at which a text is cut. `None` if it is short enough.
    fn end(self, text: &str) -> Option<usize> {
        if text.len() <= self.bytes / 6 {
            return None;
        }
        let most = self.bytes.saturating_sub(ELLIPSIS.len());
        let mut bytes = 0;
        let mut end = None;
        for (at, character) in text.char_indices() {
            bytes += escaped_size(character);
            if bytes > most && end.is_none() {
                end = Some(at);
            }
            if bytes > self.bytes {
                return end;
            }
        }
        None
    }
}

pub(super) fn is_essential(key: &str) -> bool {
    ESSENTIAL.contains(&key)
}

/// The size of a text as JSON.
pub(super) fn text_size(text: &str) -> usize {
    2 + text.chars().map(escaped_size).sum::<usize>()
}

pub(super) fn escaped_size(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}
