//! Retractions by publishers.

use proptest::prelude::*;
use tidings::{ChangeOutcome, RetractError, Retraction, wire};
use tidings_event::SystemId;

use super::history::{History, USERS, owner_of};
use super::steps::Step;
use crate::model::RetractOutcome;

pub(super) fn retraction() -> impl Strategy<Value = Step> {
    let by_other = prop::bool::weighted(0.2);
    (any::<usize>(), 0..=USERS, by_other).prop_map(|(event, owner, by_other)| Step::Retract {
        event,
        owner,
        by_other,
    })
}

impl History {
    pub(super) async fn retract(&mut self, event: usize, owner: u8, by_other: bool) {
        let published = self.model.ids();
        if published.is_empty() {
            return;
        }
        let key = (
            owner_of(owner, self.system),
            published[event % published.len()],
        );
        let mut retraction = Retraction::of(key.1);
        if key.0 != self.system {
            retraction = retraction.for_user(key.0);
        }
        let expected = self.model.retract(key, by_other);
        let systems = by_other.then(|| vec![SystemId::from_uuid(uuid::Uuid::max())]);
        let engine = wire::Engine::of(&self.tidings);
        let outcome = match engine.retract(retraction, systems).await {
            Ok(ChangeOutcome::Done) => RetractOutcome::Retracted,
            Ok(ChangeOutcome::NotFound) => RetractOutcome::NotFound,
            Err(RetractError::ForeignSystem { .. }) => RetractOutcome::ForeignSystem,
            Err(other) => panic!("unexpected {other}"),
        };
        assert_eq!(outcome, expected);
    }
}
