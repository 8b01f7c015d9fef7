//! Search in feeds that are long enough for an index.

use std::time::Duration;

use prometheus_client::registry::Registry;
use tidings::{Event, EventFilter, PageRequest, Tidings};
use tidings_event::{OwnerId, OwnerKind, Paging, Sort, SortKey, SortOrder, Timestamp, Total};

use super::{builder, built};
use crate::listed;
use crate::model::{lets_through, sort_events, user};
use crate::test_dir::TestDir;
use crate::tidied::until_tidied;

const WORDS: [&str; 8] = [
    "deploy",
    "Rollback",
    "Кластер",
    "grün",
    "100%",
    "a_b",
    "node",
    "Zürich",
];

/// Publishes many events, slightly out of order.
async fn fill(tidings: &Tidings, owner: Option<OwnerId>, number: u64) {
    let base = Timestamp::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let events: Vec<_> = (0..number)
        .map(|number| {
            let words = [number % 8, number / 8 % 8, number / 64 % 8];
            let words = words.map(|word| WORDS[usize::try_from(word).expect("small")]);
            let mut text = words.join(" ");
            if number == 700 {
                text.push_str(" needle");
            }
            let mut event = built(builder(owner).with_description(text));
            let jitter = number * 7919 % 400;
            event.created_at = base + Duration::from_secs(number / 3 + jitter);
            event
        })
        .collect();
    for batch in events.chunks(1000) {
        let published = tidings.publish_batch(batch.to_vec()).await;
        published.expect("stored");
    }
}

async fn filled(dir: &TestDir) -> Tidings {
    let tidings = dir.open().await;
    let mut registry = Registry::default();
    tidings.register_metrics(&mut registry);
    fill(&tidings, Some(user(0)), 3000).await;
    fill(&tidings, Some(user(1)), 1500).await;
    fill(&tidings, None, 1200).await;
    // At least one block for each feed, then events that are in no block.
    until_tidied(&registry, 3).await;
    fill(&tidings, Some(user(0)), 100).await;
    tidings
}

fn searching(text: &str) -> EventFilter {
    EventFilter::default().with_search(text)
}

pub(crate) async fn search_in_a_long_feed_agrees_with_the_model(dir: TestDir) {
    let tidings = filled(&dir).await;
    let system = OwnerId::from(*tidings.system_id().as_uuid());
    let all = listed::all(&tidings, user(0)).await;
    // Blocks are skipped, and deleted events stay in them.
    let some: Vec<_> = all.iter().step_by(11).map(|event| event.id).collect();
    for ids in some.chunks(100) {
        let selection = tidings::Selection::ids(ids.iter().copied());
        let deleted = tidings.change(user(0), selection, tidings::Change::Delete);
        deleted.await.expect("deleted");
    }
    let all = listed::all(&tidings, user(0)).await;
    let moments: Vec<_> = all.iter().map(|event| event.created_at).collect();
    let mut filters: Vec<_> = [
        "needle",
        "ROLLBACK",
        "кластер",
        "ZÜRICH gr",
        "0%",
        "a_b",
        "%",
        "e n",
        "z",
        "absent",
        "dе",
    ]
    .map(searching)
    .to_vec();
    filters.push(searching("needle").with_owner_kind(OwnerKind::System));
    filters.push(
        searching("grün")
            .with_from(moments[2000])
            .with_to(moments[500]),
    );
    for filter in filters {
        let mut expected: Vec<Event> = all
            .iter()
            .filter(|event| lets_through(&filter, event, system))
            .cloned()
            .collect();
        for (key, order) in [
            (SortKey::CreatedAt, SortOrder::Descending),
            (SortKey::CreatedAt, SortOrder::Ascending),
            (SortKey::UpdatedAt, SortOrder::Descending),
        ] {
            let sort = Sort { key, order };
            sort_events(&mut expected, sort);
            let found = listed::by_token(&tidings, user(0), &filter, sort, 150).await;
            assert!(found == expected, "{filter:?} {sort:?}");
            let request = PageRequest::default()
                .with_paging(Paging::Number(2))
                .with_size(10)
                .with_sort(sort)
                .with_total(Total::Counted);
            let page = tidings.list(user(0), filter.clone(), request).await;
            let page = page.expect("readable");
            assert_eq!(page.total_count, Some(expected.len() as u64), "{filter:?}");
            let third: Vec<_> = expected.iter().skip(20).take(10).cloned().collect();
            assert_eq!(page.events, third, "{filter:?} {sort:?}");
        }
    }
    tidings.close().await;
}
