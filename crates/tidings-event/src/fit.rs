//! Cuts description and metadata to their limits.
//!
//! Only the sizes decide which values are cut, so that the same event is always cut in the same way, and
//! a cut event satisfies the limits and does not change again.

mod keys;
mod level;
mod shrink;
mod text;

use serde_json::Value;

use crate::event::Metadata;
use crate::rules::Limits;
use crate::warning::{Warning, WarningCode, warn};

use keys::mark;
use text::{ELLIPSIS, cut, value_without_nul, without_nul};

pub(crate) use keys::free_key;

/// The key of the part of the description that did not fit.
const DESCRIPTION_REST: &str = "descriptionRest";

/// The maximum size of that part, in bytes.
const REST_BYTES: usize = 16 * 1024;

/// The key of a `doc` that is not a web address.
const DOC_TEXT: &str = "docText";

/// The maximum size of an event's JSON without description and metadata, in bytes.
const FIELDS_BYTES: usize = 1024;

/// The maximum size of one byte of a text in JSON: a control character becomes `\u001b`.
const ESCAPED_BYTES: usize = 6;

/// Replaces NUL characters, and moves the rest of a description that is too long to the metadata.
pub(crate) fn description(
    mut text: String,
    metadata: &mut Option<Metadata>,
    limits: &Limits,
    warnings: &mut Vec<Warning>,
) -> String {
    if text.contains('\0') {
        text = text.replace('\0', "\u{fffd}");
        let message = "NUL characters are replaced by U+FFFD";
        warn(
            warnings,
            "description",
            WarningCode::CharactersReplaced,
            message,
        );
    }
    let (bytes, limit) = (text.len(), limits.description_bytes);
    if bytes <= limit {
        return text;
    }
    let end = text.floor_char_boundary(limit.saturating_sub(ELLIPSIS.len()));
    let rest = text.split_off(end);
    if limit >= ELLIPSIS.len() {
        text.push_str(ELLIPSIS);
    }
    let metadata = metadata.get_or_insert_default();
    let kept = cut(&rest, REST_BYTES.min(limits.metadata_bytes / 2));
    let message = format!(
        "has {bytes} bytes, more than the {limit} allowed; the rest is in \
         metadata.{DESCRIPTION_REST}"
    );
    mark(metadata, &format!("description: {bytes} bytes"));
    let key = free_key(metadata, DESCRIPTION_REST);
    metadata.insert(key, kept.into());
    warn(warnings, "description", WarningCode::Truncated, message);
    text
}

/// Cuts metadata to its limits and encodes it. The size of the description reduces the limit.
pub(crate) fn metadata(
    metadata: &mut Metadata,
    description_bytes: usize,
    limits: &Limits,
    warnings: &mut Vec<Warning>,
) -> Box<str> {
    let mut facts = Facts::default();
    facts.of_object(metadata, 1);
    if facts.has_nul {
        *metadata = std::mem::take(metadata)
            .into_iter()
            .map(|(key, value)| (without_nul(key), value_without_nul(value)))
            .collect();
        let message = "NUL characters are replaced by U+FFFD";
        warn(
            warnings,
            "metadata",
            WarningCode::CharactersReplaced,
            message,
        );
    }
    check_doc(metadata, warnings);
    let deepest = limits.metadata_depth.min(Limits::MAX_METADATA_DEPTH);
    if facts.depth > deepest {
        shrink::flatten(metadata, deepest);
        let message = format!(
            "is nested {} levels deep, more than the {deepest} allowed; deeper values are \
             stored as JSON texts",
            facts.depth
        );
        warn(warnings, "metadata", WarningCode::Converted, message);
    }
    let most = limits.metadata_keys;
    if facts.keys > most {
        shrink::fewer_keys(metadata, most);
        let message = format!(
            "has {} keys, more than the {most} allowed; some objects are stored as JSON texts",
            facts.keys
        );
        warn(warnings, "metadata", WarningCode::Converted, message);
    }
    let json = write(metadata);
    // The limit of the event matters if it is close to that of the metadata.
    let beside = FIELDS_BYTES + description_bytes * ESCAPED_BYTES;
    let of_event = limits.event_bytes.saturating_sub(beside);
    let limit = limits.metadata_bytes.min(of_event);
    if json.len() <= limit {
        return json;
    }
    let bytes = json.len();
    mark(metadata, &format!("metadata: {bytes} bytes"));
    shrink::shrink(metadata, limit);
    let message = format!(
        "has {bytes} bytes of JSON, more than the {limit} allowed; its longest texts are cut"
    );
    warn(warnings, "metadata", WarningCode::Truncated, message);
    write(metadata)
}

/// Moves a `doc` that is not a web address to another key, because views render `doc` as a link.
fn check_doc(metadata: &mut Metadata, warnings: &mut Vec<Warning>) {
    let Some(doc) = metadata.get("doc") else {
        return;
    };
    if is_web_address(doc) {
        return;
    }
    let doc = metadata.remove("doc").unwrap_or_default();
    if crate::stored_cause::is_blank(&doc) {
        return;
    }
    let trimmed = doc.as_str().map(|text| Value::from(text.trim()));
    if let Some(trimmed) = trimmed.filter(is_web_address) {
        metadata.insert("doc".to_owned(), trimmed);
        let message = "the space around it is removed";
        warn(warnings, "metadata.doc", WarningCode::Converted, message);
        return;
    }
    let key = free_key(metadata, DOC_TEXT);
    let message = format!("is not a web address; it is stored under the key `{key}`");
    metadata.insert(key, doc);
    warn(warnings, "metadata.doc", WarningCode::Moved, message);
}

pub(crate) fn is_web_address(doc: &Value) -> bool {
    doc.as_str().is_some_and(|text| {
        // The URL parser ignores surrounding space.
        text == text.trim()
            && url::Url::parse(text)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    })
}

fn write(metadata: &Metadata) -> Box<str> {
    let json = serde_json::to_string(metadata).expect("metadata has only text keys");
    json.into_boxed_str()
}

/// The properties that the limits apply to, collected in one pass.
#[derive(Debug, Default)]
struct Facts {
    depth: usize,
    keys: usize,
    has_nul: bool,
}

impl Facts {
    fn of_object(&mut self, object: &Metadata, level: usize) {
        self.depth = self.depth.max(level);
        self.keys += object.len();
        for (key, value) in object {
            self.has_nul |= key.contains('\0');
            self.of_value(value, level);
        }
    }

    fn of_value(&mut self, value: &Value, level: usize) {
        match value {
            Value::String(text) => self.has_nul |= text.contains('\0'),
            Value::Array(items) => {
                self.depth = self.depth.max(level + 1);
                for item in items {
                    self.of_value(item, level + 1);
                }
            }
            Value::Object(object) => self.of_object(object, level + 1),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
