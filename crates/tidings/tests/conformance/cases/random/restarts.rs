//! Restarts, after which retention keeps fewer events.

use std::time::Duration;

use tidings::Tidings;
use tidings_event::{OwnerId, Rev};

use super::super::{builder, built};
use super::history::{History, USERS, owner_of};
use crate::model::user;
use crate::reader::{Reader, STUCK};
use crate::test_dir::TestDir;

/// The user whose feed shows that retention has scanned all feeds.
const WITNESS: u8 = USERS;

/// Longer than any history takes, so that retention runs once, at the start of an engine.
const RETENTION_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

impl History {
    pub(super) async fn restart(&mut self, dir: &TestDir, kept: Option<u8>) {
        self.readers.iter_mut().for_each(Reader::cut);
        if let Some(kept) = kept {
            self.publish_to_witness(kept).await;
            for owner in self.owners() {
                self.model.keep_newest(owner, kept.into());
            }
        }
        self.tidings.close().await;
        dir.between_engines().await;
        let mut config = dir.config_after(self.engines);
        self.engines += 1;
        config.retention.interval = RETENTION_INTERVAL;
        if let Some(kept) = kept {
            config.retention.owner_events = Some(kept.into());
            config.retention.system_events = kept.into();
        }
        let opened = Tidings::open(config).await;
        self.tidings = opened.expect("an engine opens where none is open");
        for owner in self.owners() {
            until_at(&self.tidings, owner, self.model.head(owner)).await;
        }
    }

    /// Publishes one event more than are kept to an owner without readers. Retention scans the few feeds of a
    /// history in one snapshot. Once it has deleted that event, it deletes no event that is published
    /// later.
    async fn publish_to_witness(&mut self, kept: u8) {
        let events = (0..=kept).map(|_| built(builder(Some(user(WITNESS)))));
        let receipts = self.tidings.publish_batch(events.collect()).await;
        self.model.accept(receipts.expect("the events are new"));
    }

    /// All owners that the model knows.
    fn owners(&self) -> impl Iterator<Item = OwnerId> + use<> {
        let system = self.system;
        (0..=USERS)
            .map(move |owner| owner_of(owner, system))
            .chain([user(WITNESS)])
    }
}

/// Waits until retention has brought the feed of `owner` to `head`.
pub(super) async fn until_at(tidings: &Tidings, owner: OwnerId, head: Rev) {
    let is_system = owner.as_uuid() == tidings.system_id().as_uuid();
    let tidied = async {
        loop {
            let summary = tidings.summary(owner).await.expect("readable");
            let own = match is_system {
                true => summary.cursor.system,
                false => summary.cursor.own,
            };
            if own == head {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(STUCK, tidied)
        .await
        .expect("what is not to be kept goes");
}
