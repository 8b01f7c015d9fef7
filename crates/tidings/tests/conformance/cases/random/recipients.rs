//! Events of several owners: publishing, updating and retracting them.

use proptest::prelude::*;
use tidings::{
    ChangeOutcome, Event, PublishError, Recipients, RetractError, Severity, UpdateError, wire,
};
use tidings_event::SystemId;

use super::super::{builder, built};
use super::history::{History, USERS, owner_of};
use super::steps::Step;
use super::values::{TEXTS, at, severity};
use crate::model::{Content, FanOutOutcome, RetractOutcome, SharedUpdateOutcome};

#[derive(Clone, Debug)]
pub(super) enum FannedOut {
    New {
        severity: Severity,
        text: &'static str,
        moment: u64,
    },
    /// A published event, chosen by a number, perhaps with other content.
    Copied { of: usize, is_changed: bool },
}

pub(super) fn fan_out() -> impl Strategy<Value = Step> {
    let new = (severity(), prop::sample::select(&TEXTS[..]), 0..5_u64);
    let new = new.prop_map(|(severity, text, moment)| FannedOut::New {
        severity,
        text,
        moment,
    });
    let copied = (any::<usize>(), prop::bool::weighted(0.1));
    let copied = copied.prop_map(|(of, is_changed)| FannedOut::Copied { of, is_changed });
    let event = prop_oneof![2 => new, 3 => copied];
    (event, prop::collection::vec(0..USERS, 1..5))
        .prop_map(|(event, owners)| Step::FanOut { event, owners })
}

pub(super) fn update_for_all() -> impl Strategy<Value = Step> {
    let numbers = (
        prop::option::weighted(0.5, 0..6_u64),
        prop::bool::weighted(0.2),
    );
    let texts = prop::sample::select(&TEXTS[..]);
    (any::<usize>(), severity(), texts, numbers).prop_map(
        |(event, severity, text, (sequence, renotify))| Step::UpdateForAll {
            event,
            severity,
            text,
            sequence,
            renotify,
        },
    )
}

pub(super) fn retraction_from_all() -> impl Strategy<Value = Step> {
    (any::<usize>(), prop::bool::weighted(0.2))
        .prop_map(|(event, by_other)| Step::RetractFromAll { event, by_other })
}

impl History {
    pub(super) async fn fan_out(&mut self, event: FannedOut, owners: Vec<u8>) {
        let mut event = match event {
            FannedOut::Copied { of, is_changed } if !self.model.keys().is_empty() => {
                let keys = self.model.keys();
                let key = keys[of % keys.len()];
                let mut event = self.model.published(key).expect("it was published").clone();
                if is_changed {
                    event.description.push_str(", for others");
                }
                event
            }
            FannedOut::New {
                severity,
                text,
                moment,
            } => {
                let builder = builder(None).with_severity(severity);
                let mut event = built(builder.with_description(text));
                event.created_at = at(moment);
                event
            }
            FannedOut::Copied { .. } => built(builder(None)),
        };
        event.owner = None;
        let owners: Vec<_> = owners
            .into_iter()
            .map(|owner| owner_of(owner, self.system))
            .collect();
        let recipients = Recipients::new(owners.iter().copied()).expect("they are few");
        let outcome = self
            .tidings
            .publish_to_many(event.clone(), recipients)
            .await;
        event.system_id = self.tidings.system_id();
        event.updated_at = event.created_at;
        let expected = self.model.fan_out(&event, owners);
        let outcome = match outcome {
            Ok(receipt) => {
                assert_eq!(receipt.id, event.id);
                FanOutOutcome::Stored {
                    reached: receipt.reached,
                    repeated: receipt.repeated,
                    retracted: receipt.retracted,
                }
            }
            Err(PublishError::OwnersConflict { owners, number }) => {
                FanOutOutcome::Conflict { owners, number }
            }
            Err(other) => panic!("unexpected {other}"),
        };
        assert_eq!(outcome, expected);
    }

    pub(super) async fn update_for_all(&mut self, step: Step) {
        let Step::UpdateForAll {
            event,
            severity,
            text,
            sequence,
            renotify,
        } = step
        else {
            return;
        };
        let published = self.model.ids();
        if published.is_empty() {
            return;
        }
        let id = published[event % published.len()];
        let mut builder = Event::update(id)
            .with_severity(severity)
            .with_description(text);
        if let Some(sequence) = sequence {
            builder = builder.with_sequence(sequence);
        }
        if renotify {
            builder = builder.renotify();
        }
        let content = Content {
            severity,
            description: text.to_owned(),
            metadata: None,
            is_unread: renotify,
        };
        let expected = self.model.update_for_all(id, &content, sequence);
        let update = builder.build().expect("the test's update keeps the rules");
        let outcome = match self.tidings.update_for_all(update).await {
            Ok(receipt) => {
                assert_eq!((receipt.over_quota, receipt.superseded), (0, false));
                match receipt.warnings.is_empty() {
                    true => SharedUpdateOutcome::Updated {
                        updated: receipt.updated,
                        unchanged: receipt.unchanged,
                    },
                    false => SharedUpdateOutcome::Outdated,
                }
            }
            Err(UpdateError::NotFound) => SharedUpdateOutcome::NotFound,
            Err(other) => panic!("unexpected {other}"),
        };
        assert_eq!(outcome, expected);
    }

    pub(super) async fn retract_from_all(&mut self, event: usize, by_other: bool) {
        let published = self.model.ids();
        if published.is_empty() {
            return;
        }
        let id = published[event % published.len()];
        let expected = self.model.retract_from_all(id, by_other);
        let systems = by_other.then(|| vec![SystemId::from_uuid(uuid::Uuid::max())]);
        let engine = wire::Engine::of(&self.tidings);
        let outcome = match engine.retract_from_all(id, systems).await {
            Ok(ChangeOutcome::Done) => RetractOutcome::Retracted,
            Ok(ChangeOutcome::NotFound) => RetractOutcome::NotFound,
            Err(RetractError::ForeignSystem { .. }) => RetractOutcome::ForeignSystem,
            Err(other) => panic!("unexpected {other}"),
        };
        assert_eq!(outcome, expected);
    }
}
