//! The list: pages, filters, counts.

use serde_json::json;
use tidings::wire::{self, EncodedPage};
use tidings::{Change, Event, EventFilter, PageRequest, Selection, Tidings};
use tidings_event::{
    Cause, EventPage, OwnerKind, Paging, ResourceId, Severity, SeverityCount, Sort, SortKey,
    SortOrder, Status, SystemId, Timestamp, Total,
};
use uuid::Uuid;

use super::{builder, built, event};
use crate::model::user;
use crate::test_dir::TestDir;

async fn page(tidings: &Tidings, filter: &EventFilter, paging: Paging, size: u64) -> EventPage {
    let request = PageRequest::default().with_paging(paging).with_size(size);
    tidings
        .list(user(0), filter.clone(), request)
        .await
        .expect("the store can be read")
}

/// Thirty events of the user and of the system, some of the same moment, and one of another user.
async fn fill(tidings: &Tidings) -> Vec<Event> {
    let mut events = Vec::new();
    let base = event(None, 0).created_at;
    for number in 0..30 {
        let mut one = event((number % 3 != 0).then(|| user(0)), number);
        one.created_at = base + std::time::Duration::from_secs(number / 4);
        events.push(one);
    }
    let mut stored: Vec<_> = tidings
        .publish_batch(events)
        .await
        .expect("it is stored")
        .into_iter()
        .map(|receipt| receipt.event())
        .collect();
    tidings
        .publish(event(Some(user(1)), 99))
        .await
        .expect("it is stored");
    stored.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    stored
}

pub(crate) async fn pages_hold_every_event_once_newest_first(dir: TestDir) {
    let tidings = dir.open().await;
    let expected = fill(&tidings).await;
    let all = EventFilter::default();
    for size in [1, 7, 29, 30, 31, 1000] {
        let (mut by_number, mut by_token) = (Vec::new(), Vec::new());
        for number in 0.. {
            let page = page(&tidings, &all, Paging::Number(number), size).await;
            assert_eq!(
                (page.page, page.page_size, page.total_count),
                (number, size, Some(30))
            );
            if page.events.is_empty() {
                break;
            }
            by_number.extend(page.events);
        }
        assert_eq!(by_number, expected, "pages of {size}");
        let mut paging = Paging::First;
        loop {
            let page = page(&tidings, &all, paging, size).await;
            by_token.extend(page.events);
            match page.next {
                Some(token) => paging = Paging::After(token),
                None => break,
            }
        }
        assert_eq!(by_token, expected, "pages of {size}");
    }
    // A page beyond the end is empty.
    assert!(
        page(&tidings, &all, Paging::Number(u64::MAX), 1000)
            .await
            .events
            .is_empty()
    );
    tidings.close().await;
}

pub(crate) async fn pages_by_token_are_stable_while_events_arrive(dir: TestDir) {
    let tidings = dir.open().await;
    let expected = fill(&tidings).await;
    let all = EventFilter::default();
    let (mut seen, mut paging) = (Vec::new(), Paging::First);
    loop {
        let page = page(&tidings, &all, paging, 4).await;
        seen.extend(page.events);
        let Some(token) = page.next else { break };
        paging = Paging::After(token);
        let mut newer = event(Some(user(0)), 1000);
        newer.created_at = expected[0].created_at + std::time::Duration::from_secs(60);
        tidings.publish(newer).await.expect("it is stored");
    }
    assert_eq!(seen, expected);
    tidings.close().await;
}

pub(crate) async fn filters_select_events_but_not_counts(dir: TestDir) {
    let tidings = dir.open().await;
    let plain = tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("stored")
        .event();
    let system = tidings
        .publish(event(None, 2))
        .await
        .expect("stored")
        .event();
    let failed = built(
        builder(Some(user(0)))
            .acted_upon(Uuid::from_u128(0xBAD))
            .with_category("connection")
            .with_action("ping")
            .with_severity(Severity::Error)
            .with_error(Cause::new("no route")),
    );
    let failed = tidings.publish(failed).await.expect("stored").event();
    tidings
        .publish(event(Some(user(1)), 3))
        .await
        .expect("stored");

    let all = EventFilter::default();
    let newest_first = [&failed, &system, &plain];
    let cases: Vec<(EventFilter, Vec<&Event>)> = vec![
        (all.clone(), newest_first.to_vec()),
        (
            all.clone().with_status(Status::Unread),
            newest_first.to_vec(),
        ),
        (all.clone().with_status(Status::Read), vec![]),
        (all.clone().with_severity([Severity::Error]), vec![&failed]),
        (
            all.clone()
                .with_severity([Severity::Error, Severity::Informational]),
            newest_first.to_vec(),
        ),
        (
            all.clone().with_category([plain.category.clone()]),
            vec![&system, &plain],
        ),
        (
            all.clone().with_action([failed.action.clone()]),
            vec![&failed],
        ),
        (
            all.clone()
                .with_acted_upon([ResourceId::from(Uuid::from_u128(0xBAD))]),
            vec![&failed],
        ),
        (
            all.clone()
                .with_system_id([SystemId::mint(), plain.system_id]),
            newest_first.to_vec(),
        ),
        (all.clone().with_system_id([SystemId::mint()]), vec![]),
        (
            all.clone().with_operation_id(plain.operation_id),
            vec![&plain],
        ),
        (
            all.clone().with_owner_kind(OwnerKind::User),
            vec![&failed, &plain],
        ),
        (
            all.clone().with_owner_kind(OwnerKind::System),
            vec![&system],
        ),
        (
            all.clone().with_from(system.created_at),
            vec![&failed, &system],
        ),
        (
            all.clone()
                .with_from(Timestamp::MIN)
                .with_to(Timestamp::MAX),
            newest_first.to_vec(),
        ),
        (all.clone().with_to(system.created_at), vec![&plain]),
        (
            all.clone()
                .with_severity([Severity::Error])
                .with_owner_kind(OwnerKind::System),
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        let page = page(&tidings, &filter, Paging::Number(0), 10).await;
        assert_eq!(
            page.events.iter().collect::<Vec<_>>(),
            expected,
            "{filter:?}"
        );
        assert_eq!(page.total_count, Some(expected.len() as u64), "{filter:?}");
        assert_eq!(page.read_count, 0);
        let counts = if filter.status == Some(Status::Read) {
            vec![]
        } else {
            vec![(Severity::Error, 1), (Severity::Informational, 2)]
        };
        let mut shown: Vec<_> = page
            .count_by_severity_level
            .into_iter()
            .map(|SeverityCount { severity, count }| (severity, count))
            .collect();
        shown.sort_by_key(|(severity, _)| severity.as_str());
        assert_eq!(shown, counts, "{filter:?}");
    }
    tidings.close().await;
}

/// Pages by number are complete even if their events are large. Pages by `next` end early. Both hold each
/// event once.
pub(crate) async fn large_events_are_paged_without_gaps(dir: TestDir) {
    const PAGE_BYTES: usize = 20_000;
    // Dropping this would remove its directory.
    let dir = dir.with_page_bytes(PAGE_BYTES);
    let tidings = dir.open().await;
    // Events take between a tenth of a page and three pages.
    let events = (0..40).map(|number: usize| {
        let mut one = event((!number.is_multiple_of(3)).then(|| user(0)), number as u64);
        let filler = "x".repeat(number * number * 7919 % (3 * PAGE_BYTES));
        one.metadata = json!({ "filler": filler, "numbers": [0, 1.5, null] })
            .as_object()
            .cloned();
        one.description = format!("large {}", number % 4);
        one
    });
    let receipts = tidings.publish_batch(events.collect()).await;
    let ids: Vec<_> = receipts.expect("stored").iter().map(|one| one.id).collect();
    let read = Selection::ids(ids.iter().copied().step_by(3));
    let marked = tidings.change(user(0), read, Change::Status(Status::Read));
    marked.await.expect("marked");
    let searched = EventFilter::default().with_search("LARGE 1");
    let unread = EventFilter::default()
        .with_status(Status::Unread)
        .with_owner_kind(OwnerKind::User);
    let mut seen = Vec::new();
    for filter in [EventFilter::default(), searched, unread] {
        for key in [SortKey::CreatedAt, SortKey::UpdatedAt] {
            for order in [SortOrder::Ascending, SortOrder::Descending] {
                let sort = Sort { key, order };
                let request = |paging, total| {
                    PageRequest::default()
                        .with_paging(paging)
                        .with_size(25)
                        .with_sort(sort)
                        .with_total(total)
                };
                let list = async |paging, total| {
                    let page = tidings.list(user(0), filter.clone(), request(paging, total));
                    page.await.expect("the store can be read")
                };
                let mut by_number: Vec<Event> = Vec::new();
                for number in 0..3 {
                    let total = if number == 1 {
                        Total::Left
                    } else {
                        Total::Counted
                    };
                    let page = list(Paging::Number(number), total).await;
                    let full = if page.next.is_some() {
                        25
                    } else {
                        page.events.len()
                    };
                    assert_eq!(page.events.len(), full, "{filter:?} {sort:?}");
                    by_number.extend(page.events);
                }
                let first = list(Paging::First, Total::Counted).await;
                assert_eq!(first.events, by_number[..first.events.len()]);
                assert_eq!(first.total_count, Some(by_number.len() as u64));
                assert!(first.next.is_none() || first.events.len() == 25);

                let (mut by_token, mut paging, mut short) = (Vec::new(), Paging::First, 0);
                loop {
                    let page = list(paging, Total::Left).await;
                    assert!(!page.events.is_empty(), "{filter:?} {sort:?}");
                    let bytes: usize = page.events.iter().map(|one| one.to_json().len()).sum();
                    assert!(
                        bytes <= PAGE_BYTES || page.events.len() == 1,
                        "{bytes} bytes"
                    );
                    short += usize::from(page.events.len() < 25);
                    by_token.extend(page.events);
                    match page.next {
                        Some(token) => paging = Paging::After(token),
                        None => break,
                    }
                }
                assert!(short > 3, "{short} short pages of {filter:?}");
                assert_eq!(by_token, by_number, "{filter:?} {sort:?}");
                seen.push(by_token.len());
            }
        }
    }
    assert_eq!(seen[0], ids.len());
    for id in ids {
        let event = tidings.get(user(0), id).await.expect("readable");
        let metadata = event.expect("it is there").metadata.expect("it was given");
        assert_eq!(metadata["numbers"], json!([0, 1.5, null]));
    }
    tidings.close().await;
}

/// Events that are deleted while a page is read are left out of the rest, and no other event replaces them.
pub(crate) async fn the_rest_of_a_page_leaves_out_deleted_events(dir: TestDir) {
    // Dropping this would remove its directory.
    let dir = dir.with_page_bytes(0);
    let tidings = dir.open().await;
    let expected = fill(&tidings).await;
    let whole = PageRequest::default()
        .with_paging(Paging::Number(0))
        .with_size(1000);
    let wire = wire::Engine::of(&tidings);
    let page = wire.list(user(0), EventFilter::default(), whole);
    let EncodedPage {
        events, rest, page, ..
    } = page.await.expect("readable");
    assert_eq!((events.len(), page.total_count), (1, Some(30)));
    // The next event can get the key of the newest one.
    let newest = expected.iter().map(|event| event.id).max().expect("some");
    for id in [expected[7].id, newest] {
        let gone = tidings.change(user(0), Selection::ids([id]), Change::Delete);
        gone.await.expect("deleted");
    }
    let foreign = event(Some(user(1)), 1000);
    tidings.publish(foreign.clone()).await.expect("stored");
    let mut left = rest;
    let mut text = String::from_utf8(events.concat()).expect("it is text");
    while let Some(rest) = left {
        let (events, after) = wire.list_rest(rest, 1_500).await.expect("readable");
        text += std::str::from_utf8(&events.concat()).expect("it is text");
        left = after;
    }
    let events: Vec<Event> =
        serde_json::from_str(&format!("[{}]", &text[1..])).expect("commas stand between them");
    let there: Vec<_> = expected
        .into_iter()
        .enumerate()
        .filter(|(position, event)| *position == 0 || (*position != 7 && event.id != newest))
        .map(|(_, event)| event)
        .collect();
    assert_eq!(events, there);
    tidings.close().await;
}
