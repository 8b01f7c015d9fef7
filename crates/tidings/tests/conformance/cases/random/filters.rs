//! Random filters.

use proptest::prelude::*;
use tidings::{EventFilter, Status};
use tidings_event::{OwnerKind, ResourceId};
use uuid::Uuid;

use super::values::{ACTIONS, CATEGORIES, at, severity};

const SEARCHES: [&str; 7] = ["not d", "STRASSE", "οδο", "%", "_", "o", "absent"];

pub(super) fn filter() -> impl Strategy<Value = EventFilter> {
    let status = prop::option::of(prop::sample::select(vec![Status::Read, Status::Unread]));
    let kind = prop::option::of(prop::sample::select(vec![
        OwnerKind::User,
        OwnerKind::System,
    ]));
    let search = prop::option::weighted(0.3, prop::sample::select(&SEARCHES[..]));
    let category = prop::option::weighted(0.3, prop::sample::select(&CATEGORIES[..]));
    let action = prop::option::weighted(0.2, prop::sample::select(&ACTIONS[..]));
    let severities = prop::collection::vec(severity(), 0..3);
    let times = (
        prop::option::weighted(0.2, 0..5_u64),
        prop::option::weighted(0.2, 0..6_u64),
    );
    let about = prop::option::weighted(0.1, 0..2_u128);
    (
        status, kind, search, category, action, severities, times, about,
    )
        .prop_map(
            |(status, owner_kind, search, category, action, severity, (from, to), about)| {
                let mut filter = EventFilter::default();
                filter.status = status;
                filter.owner_kind = owner_kind;
                filter.search = search.map(str::to_owned);
                filter.category = category.iter().map(|name| parsed(name)).collect();
                filter.action = action.iter().map(|name| parsed(name)).collect();
                filter.severity = severity;
                filter.from = from.map(at);
                filter.to = to.map(at);
                filter.acted_upon = about
                    .map(|number| ResourceId::from(Uuid::from_u128(0xD00 + number)))
                    .into_iter()
                    .collect();
                filter.operation_id = None;
                filter
            },
        )
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> T {
    name.parse().expect("the test's name is snake_case")
}
