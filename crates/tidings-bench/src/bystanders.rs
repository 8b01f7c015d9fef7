//! Other owners who publish while an inbox is changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tidings::{Event, Tidings};
use tidings_event::{OwnerId, Severity};
use tokio::task::JoinSet;

use crate::content::{ACTED_UPON, ACTION, CATEGORY, DESCRIPTION};
use crate::statistics::Samples;
use crate::waiting::soon;

pub(crate) const PUBLISHERS: u32 = 64;

/// The interval of each publisher: much longer than a publish takes, so that none waits for its own
/// previous event.
const INTERVAL: Duration = Duration::from_millis(100);

/// The number of owners that each publishes to, in turn.
pub(crate) const OWNERS_EACH: u32 = 4;

/// How many events per second they publish together.
pub(crate) const EVENTS_PER_SECOND: f64 = PUBLISHERS as f64 / INTERVAL.as_secs_f64();

/// Publishers that follow a timetable until they are stopped.
#[derive(Debug)]
pub(crate) struct Bystanders {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<anyhow::Result<Vec<f64>>>,
}

impl Bystanders {
    /// Starts them on the load generator's core.
    pub(crate) fn start(engine: &Tidings) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        let begin = Instant::now();
        for publisher in 0..PUBLISHERS {
            let first = begin + INTERVAL * publisher / PUBLISHERS;
            tasks.spawn(publish(engine.clone(), first, Arc::clone(&stop)));
        }
        Self { stop, tasks }
    }

    /// Stops them. Returns the milliseconds from when each event was due to its acknowledgement.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Samples> {
        self.stop.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        while let Some(ended) = soon("the last receipts", self.tasks.join_next()).await? {
            latencies.extend(ended??);
        }
        Ok(latencies.into_iter().collect())
    }
}

async fn publish(
    engine: Tidings,
    first: Instant,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Vec<f64>> {
    let owners: Vec<OwnerId> = (0..OWNERS_EACH).map(|_| OwnerId::mint()).collect();
    let mut owners = owners.into_iter().cycle();
    let mut due = first;
    let mut latencies = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let late = Instant::now() > due;
        if !late {
            tokio::time::sleep_until(due.into()).await;
        }
        let event = Event::builder()
            .from_user(owners.next().context("there are owners")?)
            .acted_upon(ACTED_UPON)
            .with_category(CATEGORY)
            .with_action(ACTION)
            .with_severity(Severity::Informational)
            .with_description(DESCRIPTION)
            .build()
            .context("the event is valid")?;
        // An event that waited for the previous one counts from when it was due. A timer that is up
        // to 1 ms late does not count.
        let published = if late { due } else { Instant::now() };
        engine.publish(event).await?;
        latencies.push(published.elapsed().as_secs_f64() * 1e3);
        due += INTERVAL;
    }
    Ok(latencies)
}
