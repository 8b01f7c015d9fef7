//! Keys that are added to the metadata.

use serde_json::Value;

use crate::event::Metadata;

/// Holds a line for each text that was cut.
pub(super) const TRUNCATED: &str = "truncated";

/// Notes in the metadata that something was cut, for those who read the event later.
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

/// `key`, or with a number behind it if there is something under it.
pub(crate) fn free_key(metadata: &Metadata, key: &str) -> String {
    let mut free = key.to_owned();
    let mut number = 2;
    while metadata.contains_key(&free) {
        free = format!("{key}{number}");
        number += 1;
    }
    free
}
