//! The list's filter and page as query parameters.

use serde::Serialize;
use tidings_event::{EventFilter, OwnerKind, PageRequest, Paging, Total};
use url::Url;

/// Adds `filter` and `page` to the URL of the events. The order is always said, since what a server
/// takes for the default is not ours.
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
        search,
    } = filter;
    let owner_kind = owner_kind.map(|kind| match kind {
        OwnerKind::User => "user".to_owned(),
        OwnerKind::System => "system".to_owned(),
    });
    let PageRequest {
        paging,
        size,
        sort,
        total,
    } = page;
    let (number, next) = match paging {
        Paging::First => (None, None),
        Paging::Number(number) => (Some(number.to_string()), None),
        Paging::After(token) => (None, Some(token.to_string())),
    };
    let count = match total {
        Total::Counted => None,
        Total::Left => Some("none".to_owned()),
    };
    let parameters = [
        ("page", number),
        ("next", next),
        ("pagesize", Some(size.to_string())),
        ("sort", Some(sort.key.as_str().to_owned())),
        ("order", Some(sort.order.as_str().to_owned())),
        ("count", count),
        ("status", status.map(|status| status.to_string())),
        ("category", array(category)),
        ("action", array(action)),
        ("severity", array(severity)),
        ("actedUpon", array(acted_upon)),
        ("ownerKind", owner_kind),
        ("operationId", operation_id.map(|id| id.to_string())),
        ("from", from.map(|time| time.to_string())),
        ("to", to.map(|time| time.to_string())),
        ("search", search.clone()),
    ];
    let given = parameters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    url.query_pairs_mut().extend_pairs(given);
}
