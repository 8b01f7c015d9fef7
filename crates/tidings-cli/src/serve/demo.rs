//! `tidings serve --demo`: a day of a platform that does not exist.

mod story;

use std::time::Duration;

use anyhow::Context as _;
use tidings::{Event, Status, Tidings, Timestamp};
use tidings_server::LOCAL_USER;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use uuid::Uuid;

use story::{Step, Story};

/// How far back the day begins, and how many stories there are in it.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const STORIES_OF_THE_DAY: usize = 40;

/// What is older than this has mostly been read.
const READ_BEFORE: Duration = Duration::from_secs(3 * 60 * 60);

/// How many stories go on at the same time, and how long it is quiet between two.
const AT_THE_SAME_TIME: usize = 2;
const QUIET_SECONDS: std::ops::RangeInclusive<u64> = 2..=8;

/// Plays until it is dropped.
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

/// Publishes what happened in the day before, unless there is something already, and then what happens
/// from now on, to the local user and to the system.
pub(super) async fn play(engine: &Tidings) -> anyhow::Result<Demo> {
    let summary = engine.summary(LOCAL_USER).await;
    if summary.context("could not look at the store")?.total_count == 0 {
        publish_the_day(engine).await?;
    }
    let players = (0..AT_THE_SAME_TIME).map(|_| {
        let engine = engine.clone();
        let player = tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(fastrand::u64(QUIET_SECONDS))).await;
                if let Err(error) = tell(&engine, Story::any()).await {
                    // Mostly the end of the server.
                    tracing::debug!(%error, "the demo could not publish");
                }
            }
        });
        player.abort_handle()
    });
    Ok(Demo {
        players: players.collect(),
    })
}

/// The stories of a day, in the order of their steps.
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
            let mut event = event_of(&story, step, operation)?;
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
        .context("could not publish the day before")?;
    for id in old {
        engine
            .set_status(LOCAL_USER, id, Status::Read)
            .await
            .context("could not mark what was read")?;
    }
    Ok(())
}

/// One step after the other, in the time they take.
async fn tell(engine: &Tidings, story: Story) -> anyhow::Result<()> {
    let operation = Uuid::now_v7();
    for step in &story.steps {
        sleep(step.after).await;
        engine.publish(event_of(&story, step, operation)?).await?;
    }
    Ok(())
}

fn event_of(story: &Story, step: &Step, operation: Uuid) -> anyhow::Result<Event> {
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
    event.build().context("a step of the demo breaks a rule")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_every_story_is_an_event() {
        for _ in 0..500 {
            let story = Story::any();
            assert!(!story.steps.is_empty());
            for step in &story.steps {
                event_of(&story, step, Uuid::now_v7()).unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_day_is_published_once() {
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
