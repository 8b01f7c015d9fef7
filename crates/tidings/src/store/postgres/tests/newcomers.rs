//! The first event of an owner, which another node publishes at the same moment.

use tidings_event::{Change, OwnerId, Rev};
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{Database, moment, open, publishing, submission, update};
use crate::store::{ChangeStep, Committed, Group, Side, Store as _, Target, UpdateOutcome};

/// A node looks for the feed of the owner and for the event in two statements. In between, another node commits both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_that_appears_during_the_lookup_is_locked_before_it_changes() {
    for is_update in [true, false] {
        let database = Database::create();
        let store = open(&database).await;
        let system = store.identity().system;
        let owner = OwnerId::from_uuid(Uuid::from_u128(0xA000));
        let change = |id: u128| {
            let id = Uuid::from_u128(id).into();
            let step = ChangeStep {
                owner,
                targets: vec![Target {
                    id,
                    side: Some(Side::Own),
                }],
                change: Change::Delete,
                only: None,
                systems: Some(vec![system]),
                at: moment(10_000),
            };
            match is_update {
                true => Group {
                    updates: vec![update(id, owner, 7, 7)],
                    ..Group::default()
                },
                false => Group {
                    steps: vec![step],
                    ..Group::default()
                },
            }
        };
        let commit = async |group: Group| store.commit(Box::new(|| group)).await.unwrap();
        // The statements are prepared, so that the next group sends them at once.
        commit(change(1)).await;
        let event = submission(Uuid::from_u128(2).into(), owner, 2, system);
        commit(publishing(vec![event])).await;
        // As if it had not been published yet; then another node is about to commit it.
        database.query(
            "CREATE TABLE new_feed AS SELECT * FROM feed; CREATE TABLE new_event AS SELECT * FROM event; \
             DELETE FROM feed; DELETE FROM event",
        );
        let (other, connection) = tokio_postgres::connect(&database.url(), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        other
            .batch_execute(
                "BEGIN; LOCK TABLE event IN ACCESS EXCLUSIVE MODE; \
                 INSERT INTO feed SELECT * FROM new_feed; INSERT INTO event SELECT * FROM new_event",
            )
            .await
            .unwrap();
        let group = change(2);
        let committing = commit(group);
        let until_blocked = async {
            let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted \
                 AND relation = 'event'::regclass";
            let (asking, connection) = tokio_postgres::connect(&database.url(), NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            while asking
                .query_one(waiting, &[])
                .await
                .unwrap()
                .get::<_, i64>(0)
                == 0
            {}
            other.batch_execute("COMMIT").await.unwrap();
        };
        let mut committing = std::pin::pin!(committing);
        tokio::select! {
            early = &mut committing => panic!("it has not waited: {early:?}"),
            () = until_blocked => {}
        }
        let committed = committing.await;
        let Committed {
            updated, changed, ..
        } = committed;
        match is_update {
            true => assert!(
                matches!(&updated[..], [UpdateOutcome::Updated(one)] if one.rev == Rev::new(2)),
                "{updated:?}"
            ),
            false => assert_eq!(changed[0].revs.up_to, Rev::new(2)),
        }
        let heads = database.query("SELECT head FROM feed");
        assert_eq!(heads, [Some("2".to_owned())]);
        store.close().await;
    }
}
