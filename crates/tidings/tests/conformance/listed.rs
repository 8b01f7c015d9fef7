//! The whole list, page by page.

use tidings::{Event, EventFilter, PageRequest, Tidings};
use tidings_event::{OwnerId, Paging, Sort, Total};

/// All events that `owner` sees, the newest first.
pub(crate) async fn all(tidings: &Tidings, owner: OwnerId) -> Vec<Event> {
    by_token(
        tidings,
        owner,
        &EventFilter::default(),
        Sort::default(),
        100,
    )
    .await
}

/// All matching events, read in pages of `size` by their tokens.
pub(crate) async fn by_token(
    tidings: &Tidings,
    owner: OwnerId,
    filter: &EventFilter,
    sort: Sort,
    size: u64,
) -> Vec<Event> {
    let (mut events, mut paging) = (Vec::new(), Paging::First);
    loop {
        let request = PageRequest::default()
            .with_paging(paging)
            .with_size(size)
            .with_sort(sort)
            .with_total(Total::Left);
        let page = tidings.list(owner, filter.clone(), request).await;
        let page = page.expect("the store can be read");
        assert_eq!(page.total_count, None);
        events.extend(page.events);
        match page.next {
            Some(token) => paging = Paging::After(token),
            None => return events,
        }
    }
}
