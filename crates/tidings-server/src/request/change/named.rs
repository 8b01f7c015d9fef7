//! The events that a change names by their ids.

use std::collections::HashMap;

use serde_json::value::RawValue;
use tidings_event::{EventId, EventRef, Limits, OwnerKind, Violations};

use super::ChangeRejection;
use super::fields::string;
use crate::problem::quoted;
use crate::request::json;

/// The ids in a field: an array, or a single text.
pub(super) fn ids(
    text: &str,
    name: &str,
    value: &RawValue,
    limits: &Limits,
    violations: &mut Violations,
) -> Result<Vec<EventId>, ChangeRejection> {
    let limit = limits.change_ids;
    if string(value).is_some() {
        return Ok(id(name, value, violations).into_iter().collect());
    }
    let elements = match json::elements(text, value.get(), name, limit) {
        Ok(elements) => elements,
        Err(fault) => {
            violations.add(
                fault.field,
                fault.fault,
                "give an array of the events' UUIDs",
            );
            return Ok(Vec::new());
        }
    };
    if elements.count > limit {
        let ids = elements.count;
        return Err(ChangeRejection::TooManyIds { ids, limit });
    }
    let mut ids = Vec::with_capacity(elements.first.len());
    for (index, element) in elements.first.into_iter().enumerate() {
        ids.extend(id(&format!("{name}[{index}]"), element, violations));
    }
    Ok(ids)
}

/// The events that `ids` name. With `system_ids`, these of them are the system's, and all others the
/// caller's own.
pub(super) fn events(
    ids: Vec<EventId>,
    system_ids: Option<Vec<EventId>>,
    violations: &mut Violations,
) -> Vec<EventRef> {
    let Some(system_ids) = system_ids else {
        return ids.into_iter().map(EventRef::from).collect();
    };
    // An id that is given twice can mean an event of each.
    let mut of_system: HashMap<EventId, usize> = HashMap::new();
    for id in system_ids {
        *of_system.entry(id).or_default() += 1;
    }
    let named = ids.into_iter().map(|id| match of_system.get_mut(&id) {
        Some(left) if *left > 0 => {
            *left -= 1;
            EventRef::of(OwnerKind::System, id)
        }
        _ => EventRef::of(OwnerKind::User, id),
    });
    let named = named.collect();
    for (id, left) in of_system {
        if left > 0 {
            let fault = format!("(`{id}`) is not among `ids`");
            violations.add("systemIds", fault, "give the id in `ids`, too");
        }
    }
    named
}

fn id(field: &str, value: &RawValue, violations: &mut Violations) -> Option<EventId> {
    let id = string(value).and_then(|text| text.parse().ok());
    if id.is_none() {
        violations.add(
            field,
            format!("({}) is not a UUID", quoted(value.get())),
            "give the event's UUID, as in its field `id`",
        );
    }
    id
}
