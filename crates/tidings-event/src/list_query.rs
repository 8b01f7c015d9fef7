//! The filter and the page of a list as query parameters.

use serde::Serialize;

use crate::filter::{EventFilter, OwnerKind};
use crate::page_request::{PageRequest, Paging, Total};

impl PageRequest {
    /// The query parameters of `GET /api/system/events` that request this page of the events that match
    /// `filter`: names and values before percent-encoding. The order of the list is always present, so
    /// that the result does not depend on the default of the server.
    pub fn query(&self, filter: &EventFilter) -> Vec<(&'static str, String)> {
        fn array<T: Serialize>(list: &[T]) -> Option<String> {
            let json = || serde_json::to_string(list).expect("names and ids are texts");
            (!list.is_empty()).then(json)
        }
        // These patterns name every field, so that a new one does not compile until it is added here.
        let EventFilter {
            status,
            category,
            action,
            severity,
            acted_upon,
            system_id,
            owner_kind,
            operation_id,
            from,
            to,
            search,
        } = filter;
        let Self {
            paging,
            size,
            sort,
            total,
        } = self;
        let owner_kind = owner_kind.map(|kind| match kind {
            OwnerKind::User => "user".to_owned(),
            OwnerKind::System => "system".to_owned(),
        });
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
            ("systemId", array(system_id)),
            ("ownerKind", owner_kind),
            ("operationId", operation_id.map(|id| id.to_string())),
            ("from", from.map(|time| time.to_string())),
            ("to", to.map(|time| time.to_string())),
            ("search", search.clone()),
        ];
        let given = parameters.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}
