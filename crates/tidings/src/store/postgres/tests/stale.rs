//! Connections that have ended without a word, as after an outage of the network.

use std::sync::Arc;
use std::time::Duration;

use tidings_event::{EventFilter, OwnerId, PageRequest};
use tokio::sync::Barrier;

use super::database::Database;
use super::gate::Gate;
use super::{PostgresStore, publishing, submission};
use crate::store::{RevokedToken, Store as _};

const TIMEOUT: Duration = Duration::from_secs(20);

/// As many reads at once, so that there are as many idle connections afterwards.
const READS: usize = 4;

async fn read_at_once(store: &Arc<PostgresStore>, owner: OwnerId) {
    let barrier = Arc::new(Barrier::new(READS));
    let reads = (0..READS).map(|_| {
        let (store, barrier) = (Arc::clone(store), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            store.snapshot(owner).await.map(drop)
        })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn no_request_fails_for_connections_that_have_ended_unnoticed() {
    let database = Database::create();
    let gate = Gate::before(&database).await;
    let store = PostgresStore::open(&gate.config(TIMEOUT)).await.unwrap();
    let store = Arc::new(store);
    let owner = OwnerId::from_uuid(uuid::Uuid::from_u128(1));
    let system = store.identity().system;
    for round in 0..3 {
        let id = uuid::Uuid::from_u128(100 + round).into();
        let event = submission(id, owner, 1, system);
        let group = publishing(vec![event]);
        let committed = store.commit(Box::new(|| group)).await.unwrap();
        assert_eq!(committed.stored().count(), 1, "{committed:?}");
        read_at_once(&store, owner).await;
        let revoked = RevokedToken {
            id: format!("token {round}"),
            until: None,
            ended_by: None,
        };
        store.revoke(revoked).await.unwrap();
        store.revoked(0).await.unwrap();
        let page = PageRequest::default();
        store
            .list(owner, EventFilter::default(), page, 1 << 20)
            .await
            .unwrap();
        gate.end_unnoticed();
    }
}
