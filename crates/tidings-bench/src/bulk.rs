//! Changing many events of one inbox: its speed, and its effect on other users.

use std::time::Duration;

use crate::bystanders::{Bystanders, EVENTS_PER_SECOND, OWNERS_EACH, PUBLISHERS};
use crate::engine::Engine;
use crate::raw_steps::{RawSteps, STEP};
use crate::report::{Table, Target};
use crate::statistics::{Samples, number};

/// The measurements, one per turn.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    rates: Samples,
    steps: Samples,
    raw_rates: Samples,
    raw_steps: Samples,
    /// The rate while other users publish.
    rates_meanwhile: Samples,
    /// How long other users wait for receipts on an otherwise idle engine.
    idle: Tails,
    /// The same while the inbox is changed.
    meanwhile: Tails,
}

/// Percentiles of latencies, in ms.
#[derive(Debug, Default)]
struct Tails {
    p50: Samples,
    p99: Samples,
    worst: Samples,
}

impl Tails {
    fn push(&mut self, latencies: &Samples) {
        self.p50.push(latencies.median());
        self.p99.push(latencies.percentile(99));
        self.worst.push(latencies.max());
    }
}

impl Bulk {
    /// Adds a turn of the engine without other users.
    pub(crate) fn push_alone(&mut self, rows: u64, elapsed: Duration) {
        let rate = rows as f64 / elapsed.as_secs_f64();
        self.rates.push(rate);
        self.steps.push(1e3 * STEP as f64 / rate);
    }

    /// Adds a turn of raw SQLite.
    pub(crate) fn push_raw(&mut self, raw: &RawSteps) {
        self.raw_rates.push(raw.rows_per_second);
        self.raw_steps.push(1e3 * STEP as f64 / raw.rows_per_second);
    }

    /// Lets other users publish on an otherwise idle engine.
    pub(crate) async fn measure_idle(
        &mut self,
        engine: &Engine,
        stretch: Duration,
    ) -> anyhow::Result<()> {
        let bystanders = Bystanders::start(engine.handle());
        tokio::time::sleep(stretch).await;
        self.idle.push(&bystanders.stop().await?);
        Ok(())
    }

    /// Adds a turn of the engine while other users publish, with their latencies.
    pub(crate) fn push_meanwhile(&mut self, rows: u64, elapsed: Duration, latencies: &Samples) {
        self.rates_meanwhile
            .push(rows as f64 / elapsed.as_secs_f64());
        self.meanwhile.push(latencies);
    }

    /// Writes the rows of the report. `what` names the change, `raw` the same change in raw SQLite.
    pub(crate) fn report(&self, table: &mut Table, what: &str, raw: &str) {
        let target = Target::AtLeast(0.5);
        table.ratio(
            &format!("rows/s, {what}"),
            &self.rates,
            (raw, &self.raw_rates),
            target,
        );
        table.ratio(
            &format!("ms per step of {STEP} rows, on average"),
            &self.steps,
            (raw, &self.raw_steps),
            Target::None,
        );
        let idle = "on an otherwise idle engine";
        let two_steps = 2.0 * self.steps.median();
        table.difference(
            "ms from publish to receipt for other users meanwhile, 99th percentile",
            &self.meanwhile.p99,
            (idle, &self.idle.p99),
            Target::AtMost(two_steps),
        );
        table.difference(
            "the same, median",
            &self.meanwhile.p50,
            (idle, &self.idle.p50),
            Target::None,
        );
        table.difference(
            "the same, the longest",
            &self.meanwhile.worst,
            (idle, &self.idle.worst),
            Target::None,
        );
        table.figure(
            "rows/s while the other users publish",
            &self.rates_meanwhile,
            Target::None,
        );
        table.note(format!(
            "The other users are {PUBLISHERS} publishers to {} owners, {} events per second together, over \
             `Tidings::publish` in the same process. Two steps are {} ms.",
            PUBLISHERS * OWNERS_EACH,
            number(EVENTS_PER_SECOND),
            number(two_steps)
        ));
    }
}
