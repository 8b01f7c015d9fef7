//! An event for many owners, compared with an event for each of them.

use std::process;

use anyhow::{Context as _, ensure};
use tidings::{Config, Draft, Event, OwnerId, Recipients, Severity, Tidings};
use uuid::Uuid;

use crate::Bench;
use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION};
use crate::cpu;
use crate::engine::Engine;
use crate::inboxes::owner;
use crate::report::{Table, Target};
use crate::statistics::Samples;

/// The CPU of one event for all owners may be this part of that of an event for each.
const MOST: Target = Target::AtMost(0.3);

const OWNERS: u32 = 1_000;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let directory = bench.directory()?;
    let engine = Engine::open(bench, Config::new(directory.path())).await?;
    // So that each feed is there.
    let events = bench.size(20, 4);
    measure(&engine, Way::Together, 1).await?;
    let (mut together, mut alone) = (Samples::default(), Samples::default());
    for _ in 0..bench.repetitions() {
        together.push(measure(&engine, Way::Together, events).await?);
        alone.push(measure(&engine, Way::Alone, events).await?);
    }
    engine.close().await?;
    let mut table = Table::new("recipients: one event for 1,000 owners, in the engine");
    table.ratio(
        "CPU per event for all owners, ms",
        &together,
        ("an event for each owner, one after the other", &alone),
        MOST,
    );
    table.note(format!(
        "{events} events per turn. Each is published once with {OWNERS} owners, or {OWNERS} times with one owner and a \
         commit each. The CPU is that of this process, which does nothing else."
    ));
    Ok(table)
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Together,
    Alone,
}

/// Publishes events to all owners. Returns the CPU time for each, in milliseconds.
async fn measure(engine: &Engine, way: Way, events: usize) -> anyhow::Result<f64> {
    let before = cpu::of_process(process::id())?;
    let published = move |engine: Tidings| async move {
        for _ in 0..events {
            publish(&engine, way).await?;
        }
        Ok(())
    };
    engine.run(published).await?;
    let cpu = cpu::of_process(process::id())? - before;
    Ok(cpu.as_secs_f64() * 1e3 / events as f64)
}

async fn publish(engine: &Tidings, way: Way) -> anyhow::Result<()> {
    let owners = (0..OWNERS).map(owner);
    match way {
        Way::Together => {
            let recipients = Recipients::new(owners).context("the owners are few")?;
            let receipt = engine.publish_to_many(event(None)?, recipients).await?;
            ensure!(receipt.reached == u64::from(OWNERS), "{receipt:?}");
        }
        Way::Alone => {
            for owner in owners {
                engine.publish(event(Some(owner))?).await?;
            }
        }
    }
    Ok(())
}

fn event(owner: Option<OwnerId>) -> anyhow::Result<Draft> {
    let mut builder = Event::builder()
        .acted_upon(ACTED_UPON)
        .with_category(CATEGORY)
        .with_action(ACTION)
        .with_severity(Severity::Informational)
        .with_description(DESCRIPTION)
        .with_metadata([("trace", Uuid::nil().to_string())]);
    if let Some(owner) = owner {
        builder = builder.for_user(owner);
    }
    Ok(builder.build()?)
}
