//! Isolation between owners, and the events of the system.

use tidings::{EventFilter, PageRequest, Start, StreamItem};
use tidings_event::{OwnerId, Rev};

use super::event;
use crate::model::user;
use crate::reader::next;
use crate::test_dir::TestDir;

pub(crate) async fn one_user_never_sees_the_events_of_another(dir: TestDir) {
    let tidings = dir.open().await;
    let mut other = tidings
        .subscribe(user(1), Start::Earliest)
        .await
        .expect("readable");
    let sent = tidings
        .publish(event(Some(user(0)), 1))
        .await
        .expect("it is stored");
    let marker = tidings
        .publish(event(Some(user(1)), 2))
        .await
        .expect("it is stored");

    assert!(matches!(next(&mut other).await, StreamItem::Ready { .. }));
    assert!(matches!(next(&mut other).await, StreamItem::Live { .. }));
    match next(&mut other).await {
        StreamItem::Created { event, .. } => assert_eq!(event.id, marker.id),
        other => panic!("{other:?}"),
    }
    assert_eq!(tidings.get(user(1), sent.id).await.expect("readable"), None);
    let page = tidings
        .list(user(1), EventFilter::default(), PageRequest::default())
        .await;
    assert_eq!(page.expect("readable").events, [marker.event()]);
    tidings.close().await;
}

pub(crate) async fn every_user_sees_system_events_live_and_in_the_list(dir: TestDir) {
    let tidings = dir.open().await;
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let mut readers = Vec::new();
    for number in 0..3 {
        readers.push(
            tidings
                .subscribe(user(number), Start::Now)
                .await
                .expect("readable"),
        );
    }
    // No owner means the same as the id of the system.
    let unnamed = tidings.publish(event(None, 1)).await.expect("it is stored");
    let named = tidings
        .publish(event(Some(system), 2))
        .await
        .expect("it is stored");
    assert_eq!((unnamed.owner, named.owner), (system, system));
    assert_eq!(
        (unnamed.rev, named.rev),
        (Some(Rev::new(1)), Some(Rev::new(2)))
    );
    for (reader, number) in readers.iter_mut().zip(0..) {
        let mut ids = Vec::new();
        while ids.len() < 2 {
            if let StreamItem::Created { event, cursor } = next(reader).await {
                assert_eq!(cursor.own, Rev::ZERO);
                ids.push(event.id);
            }
        }
        assert_eq!(ids, [unnamed.id, named.id]);
        let page = tidings
            .list(user(number), EventFilter::default(), PageRequest::default())
            .await;
        assert_eq!(
            page.expect("readable").events,
            [named.event(), unnamed.event()]
        );
        assert!(
            tidings
                .get(user(number), named.id)
                .await
                .expect("readable")
                .is_some()
        );
    }
    tidings.close().await;
}

/// For the system, both feeds are the same one. It sees each event once.
pub(crate) async fn the_system_follows_its_own_feed(dir: TestDir) {
    let tidings = dir.open().await;
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    tidings.publish(event(None, 1)).await.expect("it is stored");
    tidings
        .publish(event(Some(user(0)), 2))
        .await
        .expect("it is stored");
    let mut reader = tidings
        .subscribe(system, Start::Earliest)
        .await
        .expect("readable");
    tidings.publish(event(None, 3)).await.expect("it is stored");
    let mut shown = Vec::new();
    while shown.len() < 2 {
        match next(&mut reader).await {
            StreamItem::Created { event, cursor } => {
                assert_eq!(cursor.own, Rev::ZERO);
                shown.push((cursor.system.get(), event.description));
            }
            StreamItem::Live { summary, .. } => {
                assert_eq!(summary.total(tidings_event::Status::Unread), 1);
            }
            _ => {}
        }
    }
    assert_eq!(
        shown,
        [(1, "event 1".to_owned()), (2, "event 3".to_owned())]
    );
    let page = tidings
        .list(system, EventFilter::default(), PageRequest::default())
        .await;
    assert_eq!(page.expect("readable").total_count, Some(2));
    tidings.close().await;
}
