//! The cost of the write path when each event of a commit has another owner: the engine alone, without
//! HTTP and without subscribers.

use std::fs;

use anyhow::Context as _;
use fastrand::Rng;
use tidings::{Config, Draft, Event};
use tidings_event::{Limits, Severity};
use uuid::Uuid;

use crate::content::{ACTED_UPON, Description, LOCAL_USER};
use crate::engine::Engine;
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};
use crate::{Bench, cpu};

/// The owners. Each event has one of them at random.
const OWNERS: u32 = 2_000;

/// The events of a commit.
const GROUP: usize = 16;

/// The events of a store before it is measured.
const STORED: usize = 200_000;

pub(crate) async fn run(bench: &Bench) -> anyhow::Result<Table> {
    let directory = bench.directory()?;
    let engine = Engine::open(bench, Config::new(directory.path())).await?;
    // The same events in each run.
    let mut events = Events {
        random: Rng::with_seed(3),
        description: Description::default(),
    };
    let mut left = bench.size(STORED, STORED / 20);
    while left > 0 {
        let batch = left.min(Limits::default().batch_events);
        events.publish(&engine, batch).await?;
        left -= batch;
    }
    let groups = bench.size(1_000, 200);
    let (mut kib, mut cpu_us) = (Samples::default(), Samples::default());
    for _ in 0..bench.repetitions() {
        let (wrote, cpu) = (written()?, cpu::of_process(std::process::id())?);
        for _ in 0..groups {
            events.publish(&engine, GROUP).await?;
        }
        let number = (groups * GROUP) as f64;
        kib.push((written()? - wrote) as f64 / 1024.0 / number);
        let cpu = cpu::of_process(std::process::id())?.saturating_sub(cpu);
        cpu_us.push(cpu.as_secs_f64() * 1e6 / number);
    }
    engine.close().await?;
    let mut table = Table::new("many-owners: commits of 16 events of 2,000 owners at random");
    table.figure("KiB written per event", &kib, Target::AtMost(12.0));
    table.figure("CPU per event, µs", &cpu_us, Target::None);
    table.note(format!(
        "The embedded engine, with {} events stored before. Written are the log and the database, \
         checkpoints included. The CPU is that of the whole process, which also makes the events.",
        number(bench.size(STORED, STORED / 20) as f64)
    ));
    Ok(table)
}

/// Makes events for owners at random.
struct Events {
    random: Rng,
    description: Description,
}

impl Events {
    /// Publishes one request, which is one commit.
    async fn publish(&mut self, engine: &Engine, events: usize) -> anyhow::Result<()> {
        let events = (0..events).map(|_| self.make());
        let events = events.collect::<anyhow::Result<Vec<_>>>()?;
        engine
            .run(|engine| async move { Ok(engine.publish_batch(events).await?) })
            .await?;
        Ok(())
    }

    fn make(&mut self) -> anyhow::Result<Draft> {
        let (category, action) = self.description.make(&mut self.random, false);
        let owner = LOCAL_USER.as_u128() + u128::from(self.random.u32(..OWNERS));
        let draft = Event::builder()
            .from_user(Uuid::from_u128(owner))
            .acted_upon(ACTED_UPON)
            .with_category(category)
            .with_action(action)
            .with_severity(Severity::Informational)
            .with_description(self.description.text());
        draft.build().context("the event breaks a rule")
    }
}

/// The bytes that this process has written so far.
fn written() -> anyhow::Result<u64> {
    let counters = fs::read_to_string("/proc/self/io").context("could not read /proc/self/io")?;
    let written = counters
        .lines()
        .find_map(|line| line.strip_prefix("wchar: "));
    let written = written.context("/proc/self/io is odd")?;
    Ok(written.trim().parse()?)
}
