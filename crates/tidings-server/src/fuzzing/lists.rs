//! The query of the list.

use form_urlencoded::Serializer;
use tidings_event::{EventFilter, NewRetraction, OwnerId, PageRequest, Paging, Total};
use uuid::Uuid;

use super::changes::check_filter;
use super::rejections::check_rejection;
use crate::request::query::{
    Elsewhere, InvalidQuery, ListQuery, Recipient, Viewer, reject_filters,
};
use crate::request::spelling::FILTERS;

const VIEWER: Viewer = Viewer {
    owner: OwnerId::from_uuid(Uuid::from_u128(1)),
    system: OwnerId::from_uuid(Uuid::from_u128(2)),
};

/// A query is rejected with its malformed parameters, or means the same as its canonical form; and its
/// filter is the same in the body of a change.
pub fn list_query(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    match ListQuery::parse(query, VIEWER) {
        Ok(list) => {
            let written = written(&list);
            let again = ListQuery::parse(&written, VIEWER);
            assert_eq!(again.as_ref(), Ok(&list), "{written}");
            assert!((1..=PageRequest::MAX_SIZE).contains(&list.page.size));
            check_filter(&list.filter);
        }
        Err(faults) => check_rejection(&InvalidQuery(faults).into()),
    }
    let places = [
        Elsewhere::Lookup,
        Elsewhere::Deletion,
        Elsewhere::Stream,
        Elsewhere::Body,
    ];
    for place in places {
        if let Err(faults) = reject_filters(query, place) {
            check_rejection(&InvalidQuery(faults).into());
        }
    }
    match Recipient::read(query) {
        Ok(named) => {
            let is_named = named != NewRetraction::default();
            assert!(
                !is_named || Recipient::named_in(query) == Recipient::Owner,
                "{query}"
            );
        }
        Err(rejected) => check_rejection(&rejected.into()),
    }
}

/// The query with everything said.
fn written(list: &ListQuery) -> String {
    let ListQuery { filter, page } = list;
    let mut query = Serializer::new(String::new());
    for (name, text) in parameters(filter) {
        query.append_pair(name, &text);
    }
    query.append_pair("sort", page.sort.key.as_str());
    query.append_pair("order", page.sort.order.as_str());
    query.append_pair("pagesize", &page.size.to_string());
    match page.paging {
        Paging::First => &mut query,
        Paging::Number(number) => query.append_pair("page", &number.to_string()),
        Paging::After(token) => query.append_pair("next", &token.to_string()),
    };
    if page.total == Total::Left {
        query.append_pair("count", "none");
    }
    query.finish()
}

/// The fields of a filter, each as the text of its parameter.
fn parameters(filter: &EventFilter) -> Vec<(&'static str, String)> {
    let json = serde_json::to_value(filter).expect("a filter can be written");
    FILTERS
        .iter()
        .map(|filter| filter.name)
        .map(|name| match &json[name] {
            serde_json::Value::Null => (name, String::new()),
            serde_json::Value::String(text) => (name, text.clone()),
            list => (name, list.to_string()),
        })
        .collect()
}
