//! A subscriber sees every change once, in order, and never waits for one that has happened.

use std::sync::Arc;

use shuttle::future::spawn;
use shuttle::rand::Rng as _;
use tidings_event::{Change, OwnerId, Start};

use super::play;
use super::scene::{Position, Scene};

/// A subscriber joins while two publishers publish.
#[test]
fn a_subscriber_misses_nothing() {
    play("a_subscriber_misses_nothing", || async {
        let scene = Scene::open();
        let (user, system) = (OwnerId::mint(), scene.system());
        let publishers = [user, system].map(|owner| {
            let scene = Arc::clone(&scene);
            spawn(async move {
                for _ in 0..3 {
                    scene.publish(owner).await.unwrap();
                }
            })
        });
        let starts = [Start::Now, Start::Earliest];
        let start = starts[shuttle::rand::thread_rng().gen_range(0..starts.len())];
        let mut follower = scene.subscribe(user, start).await;
        let seen = follower.follow_to(Position { own: 3, system: 3 }).await;
        if start == Start::Earliest {
            assert_eq!(seen.len(), 6);
        }
        for publisher in publishers {
            publisher.await.unwrap();
        }
        scene.committer.close().await;
    });
}

/// The last subscriber of a feed leaves while another one joins, so that the feed may be removed and added.
#[test]
fn a_subscriber_can_follow_one_that_leaves() {
    play("a_subscriber_can_follow_one_that_leaves", || async {
        let scene = Scene::open();
        let system = scene.system();
        let leaving = scene.subscribe(system, Start::Now).await;
        let publisher = spawn({
            let scene = Arc::clone(&scene);
            async move {
                for _ in 0..3 {
                    scene.publish(system).await.unwrap();
                }
            }
        });
        let leaver = spawn(async move { drop(leaving) });
        let mut follower = scene.subscribe(system, Start::Now).await;
        follower.follow_to(Position { own: 0, system: 3 }).await;
        publisher.await.unwrap();
        leaver.await.unwrap();
        scene.committer.close().await;
    });
}

/// A user marks a system event, and the system deletes it.
#[test]
fn a_change_of_a_system_event_comes_in_its_place() {
    play("a_change_of_a_system_event_comes_in_its_place", || async {
        let scene = Scene::open();
        let (user, system) = (OwnerId::mint(), scene.system());
        let mut follower = scene.subscribe(user, Start::Now).await;
        let publisher = spawn({
            let scene = Arc::clone(&scene);
            async move {
                scene.publish(system).await.unwrap();
                let (id, rev) = scene.publish(system).await.unwrap();
                scene.mark(user, id).await.unwrap();
                scene.change(system, &[id], Change::Delete).await.unwrap();
                rev.get()
            }
        });
        let seen = follower.follow_to(Position { own: 1, system: 3 }).await;
        let rev = publisher.await.unwrap();
        let status = seen.iter().find(|frame| frame.name == Some("status"));
        // The event is created before it is marked.
        assert!(status.unwrap().at.system >= rev, "{seen:?}");
        // The counts of the deletion include what the user did before. A replay has exact counts at its end
        // instead.
        let deleted = seen.iter().find(|frame| frame.name == Some("deleted"));
        assert!(
            deleted.unwrap().at.own == 1 || !scene.has_large_windows(),
            "{seen:?}"
        );
        scene.committer.close().await;
    });
}

/// Deletions without a frame of their own, which subscribers read from the store.
#[test]
fn a_subscriber_reads_from_the_store_what_a_window_cannot_hold() {
    play(
        "a_subscriber_reads_from_the_store_what_a_window_cannot_hold",
        || async {
            let scene = Scene::open();
            let (user, system) = (OwnerId::mint(), scene.system());
            let publisher = spawn({
                let scene = Arc::clone(&scene);
                async move {
                    let (first, _) = scene.publish(system).await.unwrap();
                    scene.publish(system).await.unwrap();
                    scene
                        .change(system, &[first], Change::Delete)
                        .await
                        .unwrap();
                    scene.publish(system).await.unwrap();
                }
            });
            let mut follower = scene.subscribe(user, Start::Earliest).await;
            let seen = follower.follow_to(Position { own: 0, system: 4 }).await;
            assert_eq!(seen.len(), 4);
            publisher.await.unwrap();
            scene.committer.close().await;
        },
    );
}

/// The hub closes when all events are acknowledged.
#[test]
fn a_closed_hub_ends_a_subscription_after_its_frames() {
    play(
        "a_closed_hub_ends_a_subscription_after_its_frames",
        || async {
            let scene = Scene::open();
            let system = scene.system();
            let mut follower = scene.subscribe(system, Start::Now).await;
            // It is live, so that the windows are all it needs.
            follower.follow_to(Position::default()).await;
            let reader = spawn(async move {
                let seen = follower.follow_to_end().await;
                (seen.len() as u64, follower.position())
            });
            for _ in 0..2 {
                scene.publish(system).await.unwrap();
            }
            scene.hub.close();
            let (seen, position) = reader.await.unwrap();
            let position = position.unwrap();
            assert_eq!((position.own, position.system), (0, seen));
            // A subscriber that has to read the store when the hub closes ends before.
            assert!(seen == 2 || !scene.has_large_windows(), "{position:?}");
            scene.committer.close().await;
        },
    );
}
