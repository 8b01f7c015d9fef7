//! The list's filter and page as query parameters.

use serde::Serialize;
use tidings_event::{EventFilter, OwnerKind, PageRequest, Paging};
use url::Url;

/// Adds `filter` and `page` to the URL of the events.
pub(crate) fn add(url: &mut Url, filter: &EventFilter, page: PageRequest) {
    fn array<T: Serialize>(list: &[T]) -> Option<String> {
        let json = || serde_json::to_string(list).expect("names and ids are texts");
        (!list.is_empty()).then(json)
    }
    // Taken apart, so that a new field of the filter cannot be forgotten.
    let EventFilter {
        status,
        category,
        action,
        severity,
        acted_upon,
        owner_kind,
        operation_id,
        from,
        to,
    } = filter;
    let owner_kind = owner_kind.map(|kind| match kind {
        OwnerKind::User => "user".to_owned(),
        OwnerKind::System => "system".to_owned(),
    });
    let (number, next) = match page.paging {
        Paging::Number(number) => (Some(number.to_string()), None),
        Paging::After(token) => (None, Some(token.to_string())),
    };
    let parameters = [
        ("page", number),
        ("next", next),
        ("pagesize", Some(page.size.to_string())),
        ("status", status.map(|status| status.to_string())),
        ("category", array(category)),
        ("action", array(action)),
        ("severity", array(severity)),
        ("actedUpon", array(acted_upon)),
        ("ownerKind", owner_kind),
        ("operationId", operation_id.map(|id| id.to_string())),
        ("from", from.map(|time| time.to_string())),
        ("to", to.map(|time| time.to_string())),
    ];
    let given = parameters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    url.query_pairs_mut().extend_pairs(given);
}
