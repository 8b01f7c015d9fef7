//! Numbered steps, and how long each took.

use std::time::{Duration, Instant};

/// Prints a heading before each step, such as `[3/18] Lints`.
#[derive(Debug)]
pub(crate) struct Steps {
    count: usize,
    times: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// For `count` steps.
    pub(crate) fn of(count: usize) -> Self {
        Self {
            count,
            times: Vec::with_capacity(count),
        }
    }

    /// Runs one step.
    pub(crate) fn run<T>(
        &mut self,
        title: &'static str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        println!("\n[{}/{}] {title}", self.times.len() + 1, self.count);
        let started = Instant::now();
        let result = step()?;
        self.times.push((title, started.elapsed()));
        Ok(result)
    }

    /// Prints the duration of each step.
    pub(crate) fn print_times(&self) {
        println!();
        for (title, time) in &self.times {
            println!("{:6.1} s  {title}", time.as_secs_f64());
        }
    }
}
