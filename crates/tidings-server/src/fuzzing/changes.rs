//! The body of a change.

use serde_json::{Map, Value, json};
use tidings_event::{EventFilter, Limits, OwnerKind, Selection};

use super::rejections::check_rejection;
use crate::request::change::{ChangeRejection, read_marking, read_selection, read_status};
use crate::request::json;

/// The body of a change is rejected with its malformed fields, or selects the same events as its canonical
/// form.
pub fn change(data: &[u8]) {
    let Ok(text) = json::text(data) else {
        return;
    };
    let limits = Limits::default();
    match read_selection(text, &limits) {
        Ok(selection) => check_selection(&selection),
        Err(rejected) => check_rejection(&rejected.into()),
    }
    match read_marking(text, &limits) {
        Ok(marking) => {
            let mut written = written(&marking.selection);
            written["status"] = json!(marking.status);
            let again = read_marking(&written.to_string(), &limits);
            assert_eq!(again.expect("it is in canonical form"), marking);
        }
        Err(rejected) => check_rejection(&rejected.into()),
    }
    match read_status(text) {
        Ok(status) => {
            let again = read_status(&json!({"status": status}).to_string());
            assert_eq!(again.expect("it is in canonical form"), status);
        }
        Err(rejected) => check_rejection(&rejected.into()),
    }
}

/// A filter means the same in the body of a change. An empty one is rejected there.
pub(super) fn check_filter(filter: &EventFilter) {
    let selection = Selection::Filter {
        filter: Box::new(filter.clone()),
        up_to: "1-0-00000000".parse().expect("a cursor"),
    };
    if filter.is_empty() {
        let rejected = read_selection(&written(&selection).to_string(), &Limits::default());
        assert!(matches!(rejected, Err(ChangeRejection::Selection(_))));
    } else {
        check_selection(&selection);
    }
}

fn check_selection(selection: &Selection) {
    if let Selection::Filter { filter, .. } = selection {
        assert!(!filter.is_empty(), "an empty one selects everything");
    }
    let written = written(selection).to_string();
    let again = read_selection(&written, &Limits::default());
    assert_eq!(&again.expect("it is in canonical form"), selection);
}

fn written(selection: &Selection) -> Value {
    match selection {
        Selection::Ids(events) => {
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            let mut body = json!({ "ids": ids });
            if events.iter().any(|event| event.owner_kind.is_some()) {
                let is_system = |kind| kind == Some(OwnerKind::System);
                let of_system = events.iter().filter(|event| is_system(event.owner_kind));
                let ids: Vec<_> = of_system.map(|event| event.id).collect();
                body["systemIds"] = json!(ids);
            }
            body
        }
        Selection::Filter { filter, up_to } => json!({"filter": set(filter), "upTo": up_to}),
        Selection::All { up_to: Some(up_to) } => json!({"all": true, "upTo": up_to}),
        Selection::All { up_to: None } => json!({"all": true}),
    }
}

/// The fields of a filter that are set.
fn set(filter: &EventFilter) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(filter) else {
        unreachable!("a filter is an object");
    };
    fields.retain(|_, value| !value.is_null() && *value != json!([]));
    fields
}
