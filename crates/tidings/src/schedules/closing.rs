//! Every request gets an answer, and the answer is true, also when the committer or the store ends.

use std::sync::Arc;

use shuttle::future::{JoinHandle, spawn};
use shuttle::rand::Rng as _;
use tidings_event::{EventId, OwnerId, Rev};

use super::play;
use super::scene::Scene;
use crate::error::PublishError;

type Publishing = JoinHandle<Result<(EventId, Rev), PublishError>>;

/// Publishers that publish while the scene ends.
fn publishers(scene: &Arc<Scene>, owner: OwnerId) -> [Publishing; 4] {
    [(); 4].map(|()| {
        let scene = Arc::clone(scene);
        spawn(async move { scene.publish(owner).await })
    })
}

/// The revs of the acknowledged events. `is_end` tells whether an error means that nothing was stored.
async fn acknowledged(publishers: [Publishing; 4], is_end: fn(&PublishError) -> bool) -> Vec<u64> {
    let mut revs = Vec::new();
    for publisher in publishers {
        match publisher.await.unwrap() {
            Ok((_, rev)) => revs.push(rev.get()),
            Err(error) => assert!(is_end(&error), "{error:?}"),
        }
    }
    revs.sort_unstable();
    revs
}

#[test]
fn commits_what_was_queued_before_the_close() {
    play("commits_what_was_queued_before_the_close", || async {
        let scene = Scene::open();
        let owner = OwnerId::mint();
        let publishers = publishers(&scene, owner);
        // Also while a group waits for more requests.
        shuttle::future::yield_now().await;
        scene.committer.close().await;
        let stored = scene.store.head(owner);
        let revs = acknowledged(publishers, |error| matches!(error, PublishError::Closed)).await;
        assert_eq!(revs, Vec::from_iter(1..=stored.get()));
        assert!(scene.vitals.check().is_ok());
        assert!(matches!(
            scene.publish(owner).await,
            Err(PublishError::Closed)
        ));
    });
}

#[test]
fn answers_every_request_if_the_writer_ends() {
    play("answers_every_request_if_the_writer_ends", || async {
        let scene = Scene::open();
        let owner = OwnerId::mint();
        scene
            .store
            .end_after(shuttle::rand::thread_rng().gen_range(0..3));
        let publishers = publishers(&scene, owner);
        let revs = acknowledged(publishers, |error| {
            matches!(error, PublishError::Closed | PublishError::Store(_))
        })
        .await;
        let stored = scene.store.head(owner);
        assert_eq!(revs, Vec::from_iter(1..=stored.get()));
        scene.committer.close().await;
        let all_stored = revs.len() == 4;
        assert!(all_stored || scene.vitals.check().is_err());
    });
}
