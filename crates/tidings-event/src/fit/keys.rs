//! Keys that cutting adds to the metadata.

use serde_json::Value;

use crate::event::Metadata;

/// The key of a list with one line for each cut.
pub(super) const TRUNCATED: &str = "truncated";

/// Records a cut in the metadata, for readers of the event.
pub(super) fn mark(metadata: &mut Metadata, text: &str) {
    match metadata.get_mut(TRUNCATED) {
        Some(Value::Array(marks)) if marks.iter().all(Value::is_string) => {
            marks.push(text.into());
        }
        _ => {
            let key = free_key(metadata, TRUNCATED);
            metadata.insert(key, vec![text].into());
        }
    }
}

/// Returns `key`, or `key` with a number if the metadata already has it.
pub(crate) fn free_key(metadata: &Metadata, key: &str) -> String {
    let mut free = key.to_owned();
    let mut number = 2;
    while metadata.contains_key(&free) {
        free = format!("{key}{number}");
        number += 1;
    }
    free
}
