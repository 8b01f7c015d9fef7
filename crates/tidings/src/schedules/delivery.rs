//! The guarantees for a publisher.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use shuttle::future::spawn;
use tidings_event::{Change, EventId, OwnerId, Rev, Start, Status};

use super::play;
use super::scene::{Position, Scene};
use crate::hub::{FoundFrames, Reached};

/// Several publishers, each with a seat that has taken everything before its event.
#[test]
fn acknowledges_after_the_delivery() {
    play("acknowledges_after_the_delivery", || async {
        let scene = Scene::open();
        let owner = OwnerId::mint();
        let publishers = [(); 3].map(|()| {
            let scene = Arc::clone(&scene);
            spawn(async move {
                let seat = scene.hub.join(owner, owner);
                let (_, rev) = scene.publish(owner).await.unwrap();
                assert!(scene.store.head(owner) >= rev);
                let before = Rev::new(rev.get() - 1);
                match seat.look(before, Reached::default(), usize::MAX) {
                    FoundFrames::Frames(frames) => assert_eq!(frames[0].0, rev),
                    FoundFrames::Gap { up_to } => assert!(up_to >= rev),
                    FoundFrames::CaughtUp => panic!("{rev} is acknowledged before it is delivered"),
                }
            })
        });
        for publisher in publishers {
            publisher.await.unwrap();
        }
        assert_eq!(scene.store.head(owner), Rev::new(3));
        scene.committer.close().await;
    });
}

/// A publisher that gives up when its request is queued.
#[test]
fn a_dropped_publisher_changes_nothing() {
    play("a_dropped_publisher_changes_nothing", || async {
        let scene = Scene::open();
        let owner = OwnerId::mint();
        let mut follower = scene.subscribe(owner, Start::Now).await;
        {
            let mut publishing = pin!(scene.publish(owner));
            poll_fn(|cx| {
                let _ = publishing.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
        }
        follower.follow_to(Position { own: 1, system: 0 }).await;
        scene.committer.close().await;
    });
}

/// Several owners change many events each while others publish.
#[test]
fn deferred_changes_get_their_turn() {
    play("deferred_changes_get_their_turn", || async {
        let scene = Scene::open();
        let system = scene.system();
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(scene.publish(system).await.unwrap().0);
        }
        // More than a group changes at once.
        let many: Arc<[EventId]> = ids.iter().copied().cycle().take(40).collect();
        let owners = [OwnerId::mint(), OwnerId::mint()];
        for owner in owners {
            scene.activity.note(owner);
        }
        let changers = owners.map(|owner| {
            let (scene, many) = (Arc::clone(&scene), Arc::clone(&many));
            spawn(async move {
                for status in [Status::Read, Status::Unread] {
                    scene
                        .change(owner, &many, Change::Status(status))
                        .await
                        .unwrap();
                }
            })
        });
        scene.publish(system).await.unwrap();
        for changer in changers {
            changer.await.unwrap();
        }
        for owner in owners {
            assert_eq!(scene.store.head(owner), Rev::new(80));
        }
        scene.committer.close().await;
    });
}
