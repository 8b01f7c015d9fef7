//! `tidings serve --demo`: sample events of an imaginary platform.

mod story;

use std::time::Duration;

use anyhow::Context as _;
use tidings::{Draft, Event, Status, Tidings, Timestamp};
use tidings_server::LOCAL_USER;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use uuid::Uuid;

use story::{Step, Story};

/// How far back the history begins, and how many stories it has.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const STORIES_OF_THE_DAY: usize = 40;

/// Most events that are older than this are read.
const READ_BEFORE: Duration = Duration::from_secs(3 * 60 * 60);

/// How many stories run at the same time, and the pause between two.
const AT_THE_SAME_TIME: usize = 2;
const QUIET_SECONDS: std::ops::RangeInclusive<u64> = 2..=8;

/// A running demo, which ends when it is dropped.
#[derive(Debug)]
pub(super) struct Demo {
    players: Vec<AbortHandle>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        for player in &self.players {
            player.abort();
        }
    }
}

/// Publishes the events of the past day, unless the inbox has events already, and then new ones from time to
/// time, to the local user and to the system.
pub(super) async fn play(engine: &Tidings) -> anyhow::Result<Demo> {
    let summary = engine.summary(LOCAL_USER).await;
    if summary
        .context("could not count the stored events")?
        .total_count
        == 0
    {
        publish_the_day(engine).await?;
    }
    let players = (0..AT_THE_SAME_TIME).map(|_| {
        let engine = engine.clone();
        let player = tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(fastrand::u64(QUIET_SECONDS))).await;
                if let Err(error) = tell(&engine, Story::any()).await {
                    // Usually because the server is stopping.
                    tracing::debug!(%error, "could not publish a demo event");
                }
            }
        });
        player.abort_handle()
    });
    Ok(Demo {
        players: players.collect(),
    })
}

/// Publishes the stories of a day, sorted by time.
async fn publish_the_day(engine: &Tidings) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let mut events = Vec::new();
    for _ in 0..STORIES_OF_THE_DAY {
        let begun = now - DAY.mul_f32(fastrand::f32());
        let story = Story::any();
        let operation = Uuid::now_v7();
        let mut at = begun;
        for step in &story.steps {
            at += step.after;
            let mut event = event_of(&story, step, operation)?.into_event();
            event.created_at = at;
            if at < now {
                events.push(event);
            }
        }
    }
    events.sort_by_key(|event| event.created_at);
    let old: Vec<_> = events
        .iter()
        .filter(|event| event.created_at < now - READ_BEFORE && fastrand::u8(..10) > 0)
        .map(|event| event.id)
        .collect();
    engine
        .publish_batch(events)
        .await
        .context("could not publish the demo events of the past day")?;
    for id in old {
        engine
            .set_status(LOCAL_USER, id, Status::Read)
            .await
            .context("could not mark demo events as read")?;
    }
    Ok(())
}

/// Publishes the steps of a story at their times.
async fn tell(engine: &Tidings, story: Story) -> anyhow::Result<()> {
    let operation = Uuid::now_v7();
    for step in &story.steps {
        sleep(step.after).await;
        engine.publish(event_of(&story, step, operation)?).await?;
    }
    Ok(())
}

fn event_of(story: &Story, step: &Step, operation: Uuid) -> anyhow::Result<Draft> {
    let mut event = Event::builder()
        .acted_upon(story.resource)
        .for_operation(operation)
        .with_category(story.category)
        .with_action(step.action)
        .with_severity(step.severity)
        .with_description(step.description.clone())
        .with_metadata(step.metadata.clone());
    if !story.is_for_everybody {
        event = event.from_user(LOCAL_USER);
    }
    if let Some(cause) = &step.cause {
        event = event.with_error(cause.clone());
    }
    if let Some(doc) = step.doc {
        event = event.with_doc(doc);
    }
    event
        .build()
        .context("a step of the demo is not a valid event")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_a_valid_event() {
        for _ in 0..500 {
            let story = Story::any();
            assert!(!story.steps.is_empty());
            for step in &story.steps {
                event_of(&story, step, Uuid::now_v7()).unwrap();
            }
        }
    }

    #[tokio::test]
    async fn publishes_the_past_day_once() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Tidings::open(tidings::Config::new(directory.path()))
            .await
            .unwrap();
        drop(play(&engine).await.unwrap());
        let summary = engine.summary(LOCAL_USER).await.unwrap();
        assert!(summary.total_count >= 40, "{summary:?}");
        assert!(
            summary.read_count > 0 && summary.unread_count > 0,
            "{summary:?}"
        );
        drop(play(&engine).await.unwrap());
        let again = engine.summary(LOCAL_USER).await.unwrap();
        assert_eq!(again.total_count, summary.total_count);
        engine.close().await;
    }
}
