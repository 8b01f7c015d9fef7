//! Moves that are rejected.

use std::error::Error;

use tidings::moving::{MoveError, move_store};
use tidings::{Config, StoreConfig, Tidings};
use tidings_event::Rev;

use super::event;
use crate::model::user;
use crate::moves::{begin, finish, no_tokens};
use crate::reader::STUCK;
use crate::test_dir::TestDir;

/// Stores that users have, with this many events each.
async fn filled(dir: &TestDir, events: u64) -> StoreConfig {
    let tidings = dir.open().await;
    for number in 0..events {
        for owner in [Some(user(0)), Some(user(1)), None] {
            tidings
                .publish(event(owner, number))
                .await
                .expect("it is stored");
        }
    }
    tidings.close().await;
    dir.config().store
}

/// Opens an engine that must be rejected, once the server has seen that a dropped move has ended.
async fn rejection(store: &StoreConfig) -> String {
    let rejected = async {
        loop {
            let rejected = Tidings::open(Config::for_store(store.clone())).await;
            let text = chain(&rejected.expect_err("the store is not whole"));
            if !text.contains("uses the store") && !text.contains("is in use") {
                return text;
            }
        }
    };
    let rejected = tokio::time::timeout(STUCK, rejected).await;
    rejected.expect("the move has ended")
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// An interrupted move leaves a store that no engine opens. Only the same source, unchanged, continues it.
pub(crate) async fn a_store_is_one_or_the_other_while_it_moves() {
    let (old, new) = (TestDir::sqlite(), TestDir::postgres());
    let (from, to) = (filled(&old, 40).await, new.config().store);
    for steps in [1, 2, 3] {
        assert_eq!(begin(&from, &to, steps).await, None);
        let rejected = rejection(&to).await;
        assert!(
            rejected.contains("tidings move has not finished"),
            "{rejected}"
        );
    }
    let other = TestDir::sqlite();
    let rejected = finish(&filled(&other, 40).await, &to).await;
    assert!(
        matches!(rejected, Err(MoveError::OtherSource)),
        "{rejected:?}"
    );
    let rejected = finish(&from, &filled(&other, 1).await).await;
    assert!(matches!(rejected, Err(MoveError::NotEmpty)), "{rejected:?}");

    let moved = finish(&from, &to).await.expect("it continues");
    assert_eq!((moved.events, moved.feeds), (120, 3));
    let tidings = new.open().await;
    let summary = tidings.summary(user(0)).await.expect("readable");
    assert_eq!(summary.total_count, 80);
    assert_eq!(
        (summary.cursor.own, summary.cursor.system),
        (Rev::new(40), Rev::new(40))
    );
    tidings.close().await;
    new.audit();
    let again = finish(&from, &to).await;
    assert_eq!(again.expect("it has moved already"), moved);
    filled(&new, 1).await;
    let rejected = finish(&from, &to).await;
    assert!(matches!(rejected, Err(MoveError::NotEmpty)), "{rejected:?}");

    // And back, where the source changes meanwhile.
    let back = TestDir::sqlite();
    let to = back.config().store;
    assert_eq!(begin(&from, &to, 2).await, None);
    let rejected = rejection(&to).await;
    assert!(
        rejected.contains("tidings move has not finished"),
        "{rejected}"
    );
    filled(&old, 1).await;
    let rejected = finish(&from, &to).await;
    assert!(
        matches!(rejected, Err(MoveError::SourceChanged)),
        "{rejected:?}"
    );
}

/// A move rejects a database that a node uses, and a node one that is moved.
pub(crate) async fn nodes_and_moves_exclude_each_other() {
    let (old, new, third) = (TestDir::sqlite(), TestDir::postgres(), TestDir::postgres());
    let from = filled(&old, 3).await;
    finish(&from, &new.config().store).await.expect("it moves");
    let node = new.open().await;
    let (from_new, to_third) = (new.config().store, third.config().store);
    let mut keep = |_| Ok(());
    let moved = move_store(&from_new, &to_third, no_tokens(&mut keep), |_| {}).await;
    let rejected = moved.expect_err("a node uses the database");
    assert!(
        chain(&rejected).contains("servers use the database"),
        "{}",
        chain(&rejected)
    );
    node.close().await;
    finish(&new.config().store, &third.config().store)
        .await
        .expect("it moves");
    let missing = TestDir::sqlite();
    let rejected = finish(&missing.config().store, &TestDir::postgres().config().store).await;
    assert!(matches!(rejected, Err(MoveError::NoStore)), "{rejected:?}");
}
