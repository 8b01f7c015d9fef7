//! The list: pages, filters, counts.

use tidings::{Event, EventFilter, PageRequest, Tidings};
use tidings_event::{
    Cause, EventPage, OwnerKind, Paging, ResourceId, Severity, SeverityCount, Status, Timestamp,
};
use uuid::Uuid;

use super::{builder, built, event};
use crate::model::user;
use crate::place::Place;

async fn page(tidings: &Tidings, filter: &EventFilter, paging: Paging, size: u64) -> EventPage {
    let request = PageRequest {
        paging,
        size,
        ..PageRequest::default()
    };
    tidings
        .list(user(0), filter.clone(), request)
        .await
        .expect("the store can be read")
}

/// Thirty of the user's own and the system's, some of the same moment; and another's.
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

pub(crate) async fn pages_hold_every_event_once_newest_first(place: Place) {
    let tidings = place.open().await;
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
        let mut paging = Paging::Number(0);
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
    // A page far beyond the end is empty and no error.
    assert!(
        page(&tidings, &all, Paging::Number(u64::MAX), 1000)
            .await
            .events
            .is_empty()
    );
    tidings.close().await;
}

pub(crate) async fn pages_by_token_stay_put_while_events_arrive(place: Place) {
    let tidings = place.open().await;
    let expected = fill(&tidings).await;
    let all = EventFilter::default();
    let (mut seen, mut paging) = (Vec::new(), Paging::Number(0));
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

pub(crate) async fn filters_choose_and_counts_do_not_follow_them(place: Place) {
    let tidings = place.open().await;
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
            EventFilter {
                status: Some(Status::Unread),
                ..all.clone()
            },
            newest_first.to_vec(),
        ),
        (
            EventFilter {
                status: Some(Status::Read),
                ..all.clone()
            },
            vec![],
        ),
        (
            EventFilter {
                severity: vec![Severity::Error],
                ..all.clone()
            },
            vec![&failed],
        ),
        (
            EventFilter {
                severity: vec![Severity::Error, Severity::Informational],
                ..all.clone()
            },
            newest_first.to_vec(),
        ),
        (
            EventFilter {
                category: vec![plain.category.clone()],
                ..all.clone()
            },
            vec![&system, &plain],
        ),
        (
            EventFilter {
                action: vec![failed.action.clone()],
                ..all.clone()
            },
            vec![&failed],
        ),
        (
            EventFilter {
                acted_upon: vec![ResourceId::from(Uuid::from_u128(0xBAD))],
                ..all.clone()
            },
            vec![&failed],
        ),
        (
            EventFilter {
                operation_id: Some(plain.operation_id),
                ..all.clone()
            },
            vec![&plain],
        ),
        (
            EventFilter {
                owner_kind: Some(OwnerKind::User),
                ..all.clone()
            },
            vec![&failed, &plain],
        ),
        (
            EventFilter {
                owner_kind: Some(OwnerKind::System),
                ..all.clone()
            },
            vec![&system],
        ),
        (
            EventFilter {
                from: Some(system.created_at),
                ..all.clone()
            },
            vec![&failed, &system],
        ),
        (
            EventFilter {
                from: Some(Timestamp::MIN),
                to: Some(Timestamp::MAX),
                ..all.clone()
            },
            newest_first.to_vec(),
        ),
        (
            EventFilter {
                to: Some(system.created_at),
                ..all.clone()
            },
            vec![&plain],
        ),
        (
            EventFilter {
                severity: vec![Severity::Error],
                owner_kind: Some(OwnerKind::System),
                ..all.clone()
            },
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
