//! Updates of a publisher's events.

use proptest::prelude::*;
use tidings::{Event, UpdateError};

use super::history::History;
use super::steps::Step;
use super::values::{TEXTS, severity};
use crate::model::{Content, UpdateOutcome};

pub(super) fn update() -> impl Strategy<Value = Step> {
    let numbers = (
        prop::option::of(0..3_u8),
        prop::option::weighted(0.5, 0..6_u64),
        prop::bool::weighted(0.2),
    );
    let texts = prop::sample::select(&TEXTS[..]);
    let severities = prop::option::weighted(0.5, severity());
    (any::<usize>(), severities, texts, numbers).prop_map(
        |(event, severity, text, (progress, sequence, renotify))| Step::Update {
            event,
            severity,
            text,
            progress,
            sequence,
            renotify,
        },
    )
}

impl History {
    pub(super) async fn update(&mut self, step: Step) {
        let Step::Update {
            event,
            severity,
            text,
            progress,
            sequence,
            renotify,
        } = step
        else {
            return;
        };
        let published = self.model.keys();
        if published.is_empty() {
            return;
        }
        let key = published[event % published.len()];
        // The severity that it was published with, if no other is given.
        let first = self.model.published(key).expect("it was published");
        let severity = severity.unwrap_or(first.severity);
        let mut builder = Event::update(key.1)
            .with_severity(severity)
            .with_description(text);
        if key.0 != self.system {
            builder = builder.for_user(key.0);
        }
        if let Some(progress) = progress {
            builder = builder.with_metadata([("progress", progress)]);
        }
        if let Some(sequence) = sequence {
            builder = builder.with_sequence(sequence);
        }
        if renotify {
            builder = builder.renotify();
        }
        let content = Content {
            severity,
            description: text.to_owned(),
            metadata: progress.map(|progress| {
                let entry = ("progress".to_owned(), progress.into());
                std::iter::once(entry).collect()
            }),
            is_unread: renotify,
        };
        let expected = self.model.update(key, content, sequence);
        let update = builder.build().expect("the test's update keeps the rules");
        let outcome = match self.tidings.update(update).await {
            Ok(receipt) if receipt.repeated && receipt.warnings.is_empty() => {
                UpdateOutcome::Repeated
            }
            Ok(receipt) if receipt.repeated => UpdateOutcome::Outdated,
            Ok(receipt) => {
                assert_eq!(receipt.rev, Some(self.model.head(key.0)));
                UpdateOutcome::Updated
            }
            Err(UpdateError::NotFound) => UpdateOutcome::NotFound,
            Err(UpdateError::OnlyTexts { .. }) => UpdateOutcome::OnlyTexts,
            Err(other) => panic!("unexpected {other}"),
        };
        assert_eq!(outcome, expected);
    }
}
