//! The start of a subscription.

use tidings::{EventFilter, PageRequest, Start, StreamItem};
use tidings_event::{Cursor, ResetReason, Rev};

use super::event;
use crate::model::user;
use crate::reader::next;
use crate::test_dir::TestDir;

pub(crate) async fn each_unusable_cursor_is_reset_with_its_reason(dir: TestDir) {
    let tidings = dir.open().await;
    let elsewhere = dir.another();
    let other_installation = elsewhere.open().await;
    tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("it is stored");
    let cursor_of = async |tidings: &tidings::Tidings, number| {
        let page = tidings.list(user(number), EventFilter::default(), PageRequest::default());
        page.await.expect("readable").cursor
    };
    let head = cursor_of(&tidings, 0).await;
    let cases = [
        (Start::Malformed, ResetReason::Malformed),
        (
            Start::After(cursor_of(&tidings, 1).await),
            ResetReason::Foreign,
        ),
        (
            Start::After(cursor_of(&other_installation, 0).await),
            ResetReason::Foreign,
        ),
        (
            Start::After(Cursor {
                own: head.own.next(),
                ..head
            }),
            ResetReason::TooNew,
        ),
        (
            Start::After(Cursor {
                system: head.system.next(),
                ..head
            }),
            ResetReason::TooNew,
        ),
    ];
    for (start, expected) in cases {
        let mut reader = tidings.subscribe(user(0), start).await.expect("readable");
        match next(&mut reader).await {
            StreamItem::Reset { cursor, reason } => {
                assert_eq!((cursor, reason), (head, expected), "{start:?}");
            }
            other => panic!("{start:?}: {other:?}"),
        }
        // The stream continues from there.
        assert!(
            matches!(next(&mut reader).await, StreamItem::Live { cursor, .. } if cursor == head)
        );
    }
    other_installation.close().await;
    tidings.close().await;
}

pub(crate) async fn a_subscription_misses_nothing_from_the_moment_it_is_opened(dir: TestDir) {
    let tidings = dir.open().await;
    tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("it is stored");
    let mut reader = tidings
        .subscribe(user(0), Start::Now)
        .await
        .expect("readable");
    tidings
        .publish(event(Some(user(0)), 2))
        .await
        .expect("it is stored");
    match next(&mut reader).await {
        StreamItem::Ready { cursor, head } => {
            assert_eq!((cursor.own, head.own), (Rev::new(1), Rev::new(1)));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(next(&mut reader).await, StreamItem::Live { .. }));
    match next(&mut reader).await {
        StreamItem::Created { event, .. } => assert_eq!(event.description, "event 2"),
        other => panic!("{other:?}"),
    }
    tidings.close().await;
}

pub(crate) async fn the_cursor_of_a_list_continues_in_the_stream(dir: TestDir) {
    let tidings = dir.open().await;
    for (owner, number) in [(Some(user(0)), 1), (None, 2), (Some(user(1)), 3)] {
        tidings
            .publish(event(owner, number))
            .await
            .expect("it is stored");
    }
    let page = tidings
        .list(user(0), EventFilter::default(), PageRequest::default())
        .await;
    let cursor = page.expect("readable").cursor;
    for (owner, number) in [(None, 4), (Some(user(0)), 5), (Some(user(1)), 6)] {
        tidings
            .publish(event(owner, number))
            .await
            .expect("it is stored");
    }
    let mut reader = tidings
        .subscribe(user(0), Start::After(cursor))
        .await
        .expect("readable");
    match next(&mut reader).await {
        StreamItem::Ready {
            cursor: accepted, ..
        } => assert_eq!(accepted, cursor),
        other => panic!("{other:?}"),
    }
    let mut texts = Vec::new();
    loop {
        match next(&mut reader).await {
            StreamItem::Created { event, .. } => texts.push(event.description),
            StreamItem::Live { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(texts, ["event 4", "event 5"]);
    tidings.close().await;
}
