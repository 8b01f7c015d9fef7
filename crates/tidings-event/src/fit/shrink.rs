//! Shrinks metadata. The cause and the link to documentation, which users need most, are cut last.

use serde_json::{Map, Value};

use super::keys::{TRUNCATED, free_key};
use super::level::{Level, is_essential, text_size};
use crate::event::Metadata;
use crate::stored_cause;

/// The key of the values that exceed the number of keys.
const REST: &str = "rest";

/// The length below which texts are cut only as a last resort, in bytes.
const READABLE_BYTES: usize = 512;

/// The length that essential texts keep while other texts are cut further, in bytes.
const ESSENTIAL_BYTES: usize = 4 * 1024;

/// The size of JSON above which a value becomes a text that can be cut, in bytes.
const SMALL_BYTES: usize = 512;

/// The number of texts above which a list of a cause becomes one text that can be cut.
const MANY_TEXTS: usize = 16;

/// Replaces values that are nested deeper than `levels` by their JSON texts.
pub(super) fn flatten(metadata: &mut Metadata, levels: usize) {
    for value in metadata.values_mut() {
        flatten_value(value, levels.saturating_sub(1));
    }
}

fn flatten_value(value: &mut Value, levels: usize) {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => *value = value.to_string().into(),
        Value::Array(items) => {
            for item in items {
                flatten_value(item, levels - 1);
            }
        }
        Value::Object(object) => {
            for value in object.values_mut() {
                flatten_value(value, levels - 1);
            }
        }
        _ => {}
    }
}

/// Replaces the objects with the most keys by their JSON texts, until at most `most` keys remain.
pub(super) fn fewer_keys(metadata: &mut Metadata, most: usize) {
    let mut keys = keys_of(metadata);
    let mut largest: Vec<(usize, String)> = metadata
        .iter()
        .filter(|(key, _)| !is_essential(key))
        .map(|(key, value)| (keys_in(value), key.clone()))
        .filter(|(keys, _)| *keys > 0)
        .collect();
    largest.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    for (inner, key) in largest {
        if keys <= most {
            return;
        }
        if let Some(value) = metadata.get_mut(&key) {
            *value = value.to_string().into();
            keys -= inner;
        }
    }
    if keys > most
        && let Some(Value::Object(error)) = metadata.get_mut("error")
    {
        let others = error
            .iter_mut()
            .filter(|(key, _)| !stored_cause::is_part(key));
        for (_, value) in others {
            let inner = keys_in(value);
            if keys > most && inner > 0 {
                *value = value.to_string().into();
                keys -= inner;
            }
        }
    }
    if keys > most {
        // The moved keys need one key for themselves.
        let excess = keys - most + 1;
        move_last(metadata, excess);
    }
}

/// Moves the last `number` keys that are not essential into one JSON text.
fn move_last(metadata: &mut Metadata, number: usize) {
    let mut keys: Vec<String> = metadata
        .keys()
        .filter(|key| !is_essential(key))
        .cloned()
        .collect();
    // The result must not depend on the order of the map.
    keys.sort_unstable();
    let moved = keys.split_off(keys.len().saturating_sub(number));
    let rest: Map<String, Value> = moved
        .into_iter()
        .filter_map(|key| metadata.remove_entry(&key))
        .collect();
    if !rest.is_empty() {
        let key = free_key(metadata, REST);
        metadata.insert(key, Value::Object(rest).to_string().into());
    }
}

/// Shrinks the JSON of metadata to at most `limit` bytes. Texts are cut to the longest common length that
/// fits. If that is not enough, lists and objects become texts, and finally keys are removed.
pub(super) fn shrink(metadata: &mut Metadata, limit: usize) {
    if cut_texts(metadata, limit, READABLE_BYTES) {
        return;
    }
    into_texts(metadata);
    if cut_texts(metadata, limit, READABLE_BYTES / 8) {
        return;
    }
    keep_first(metadata, limit);
    if cut_texts(metadata, limit, 0) {
        return;
    }
    metadata.retain(|key, _| key == "error");
    if !cut_texts(metadata, limit, 0) {
        metadata.clear();
    }
}

/// Keeps as many keys as fit with the shortest texts, the essential ones first.
fn keep_first(metadata: &mut Metadata, limit: usize) {
    let level = Level {
        bytes: READABLE_BYTES / 8,
        essential: READABLE_BYTES,
    };
    let size = |key: &str, value: &Value| text_size(key) + 2 + level.of(key).size_of_value(value);
    let mut sizes: Vec<(bool, &String, usize)> = metadata
        .iter()
        .map(|(key, value)| (!is_essential(key), key, size(key, value)))
        .collect();
    // The result must not depend on the order of the map.
    sizes.sort_unstable();
    // The removed keys become one text, which takes little more than this after cutting.
    let mut room = limit.saturating_sub(READABLE_BYTES);
    let fits = |(_, _, size): &&(bool, &String, usize)| {
        let is_room = *size <= room;
        room = room.saturating_sub(*size);
        is_room
    };
    let kept = sizes.iter().take_while(fits).count();
    let moved = metadata.len() - kept;
    move_last(metadata, moved);
}

/// Cuts texts to the longest common length that fits. Returns `false` if that is less than `least`.
fn cut_texts(metadata: &mut Metadata, limit: usize, least: usize) -> bool {
    for essential in [ESSENTIAL_BYTES, 0] {
        if (Level {
            bytes: least,
            essential,
        })
        .size(metadata)
            > limit
        {
            continue;
        }
        // A text longer than the limit cannot fit.
        let (mut fits, mut too_long) = (least, limit + 1);
        while fits + 1 < too_long {
            let bytes = fits.midpoint(too_long);
            if (Level { bytes, essential }).size(metadata) <= limit {
                fits = bytes;
            } else {
                too_long = bytes;
            }
        }
        (Level {
            bytes: fits,
            essential,
        })
        .cut(metadata);
        return true;
    }
    false
}

/// Replaces large lists and objects by texts: lines for the lists of a cause, JSON for all others.
fn into_texts(metadata: &mut Metadata) {
    let everywhere = Level {
        bytes: usize::MAX - 2,
        essential: 0,
    };
    let is_large = |value: &Value| everywhere.size_of_value(value) > SMALL_BYTES;
    for (key, value) in metadata.iter_mut() {
        match value {
            Value::Object(cause) if key == "error" => {
                for (key, value) in cause.iter_mut() {
                    match value {
                        Value::Array(items)
                            if stored_cause::is_part(key) && items.len() > MANY_TEXTS =>
                        {
                            let lines: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                            *value = vec![lines.join("\n")].into();
                        }
                        Value::Array(_) | Value::Object(_)
                            if !stored_cause::is_part(key) && is_large(value) =>
                        {
                            *value = value.to_string().into();
                        }
                        _ => {}
                    }
                }
            }
            Value::Array(_) | Value::Object(_) if key != TRUNCATED && is_large(value) => {
                *value = value.to_string().into();
            }
            _ => {}
        }
    }
}

fn keys_of(object: &Metadata) -> usize {
    object.len() + object.values().map(keys_in).sum::<usize>()
}

fn keys_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(keys_in).sum(),
        Value::Object(object) => keys_of(object),
        _ => 0,
    }
}
