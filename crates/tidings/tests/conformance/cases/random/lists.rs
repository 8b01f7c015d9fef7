//! Lists in every order, compared with the model.

use proptest::prelude::*;
use tidings::{EventFilter, PageRequest};
use tidings_event::{Paging, Sort, SortKey, SortOrder};

use super::history::{History, owner_of};
use crate::listed;
use crate::model::{lets_through, sort_events};

pub(super) fn sort() -> impl Strategy<Value = Sort> {
    (
        prop::sample::select(vec![SortKey::CreatedAt, SortKey::UpdatedAt]),
        prop::sample::select(vec![SortOrder::Ascending, SortOrder::Descending]),
    )
        .prop_map(|(key, order)| Sort { key, order })
}

impl History {
    pub(super) async fn list(&mut self, owner: u8, filter: EventFilter, sort: Sort, size: u64) {
        let owner = owner_of(owner, self.system);
        // The model does not know when an event was changed, so the list of the engine is filtered.
        let all = listed::all(&self.tidings, owner).await;
        let mut expected: Vec<_> = all
            .into_iter()
            .filter(|event| lets_through(&filter, event, self.system))
            .collect();
        sort_events(&mut expected, sort);
        let by_token = listed::by_token(&self.tidings, owner, &filter, sort, size).await;
        assert_eq!(by_token, expected, "{filter:?} {sort:?}");
        let request = PageRequest::default()
            .with_paging(Paging::Number(1))
            .with_size(size)
            .with_sort(sort);
        let page = self.tidings.list(owner, filter.clone(), request).await;
        let page = page.expect("the store can be read");
        assert_eq!(page.total_count, Some(expected.len() as u64), "{filter:?}");
        let size = usize::try_from(size).expect("pages are small");
        let second: Vec<_> = expected.into_iter().skip(size).take(size).collect();
        assert_eq!(page.events, second, "{filter:?} {sort:?}");
    }
}
