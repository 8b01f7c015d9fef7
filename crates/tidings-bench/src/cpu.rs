//! CPU time of a process, and of everything else on the machine.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};

/// The CPU time of all threads of a process so far, in user and kernel mode, in steps of 10 ms.
pub(crate) fn of_process(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} is gone"))?;
    // utime and stime.
    ticks(&stat, 11..13)
}

/// The CPU time of the present threads of a process so far, in nanoseconds. It is exact while they sleep, and
/// misses threads that have ended.
pub(crate) fn of_threads(pid: u32) -> anyhow::Result<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .with_context(|| format!("process {pid} is gone"))?;
    let mut sum = Duration::ZERO;
    for thread in threads {
        // One may have ended meanwhile.
        let statistics = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        let running = statistics.split_whitespace().next();
        sum += Duration::from_nanos(running.and_then(|time| time.parse().ok()).unwrap_or(0));
    }
    Ok(sum)
}

/// The CPU time of this process and of the children it has waited for.
fn of_ours() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("could not read /proc/self/stat")?;
    // cutime and cstime.
    ticks(&stat, 11..15)
}

/// Adds up fields of `/proc/PID/stat`, counted from the one after the command's name, which can
/// contain any character.
fn ticks(stat: &str, fields: std::ops::Range<usize>) -> anyhow::Result<Duration> {
    let (_, after_name) = stat.rsplit_once(") ").context("/proc/PID/stat is odd")?;
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(fields.start)
        .take(fields.len())
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(from_ticks(ticks))
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / clock_ticks_per_second())
}

/// The CPU time of this thread so far.
pub(crate) fn of_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("the CPU time of a thread is not negative")
}

/// How busy the whole machine was until one moment.
#[derive(Debug)]
pub(crate) struct Machine {
    busy: Duration,
    stolen: Duration,
    ours: Duration,
    at: Instant,
}

impl Machine {
    pub(crate) fn now() -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat").context("could not read /proc/stat")?;
        let all = stat
            .lines()
            .next()
            .context("/proc/stat is empty")?
            .split_whitespace()
            .skip(1)
            .map(|field| field.parse::<u64>().unwrap_or(0))
            .collect::<Vec<_>>();
        // user nice system idle iowait irq softirq steal
        let field = |index: usize| all.get(index).copied().unwrap_or(0);
        Ok(Self {
            busy: from_ticks([0, 1, 2, 5, 6].into_iter().map(field).sum()),
            stolen: from_ticks(field(7)),
            ours: of_ours()?,
            at: Instant::now(),
        })
    }

    /// Describes how much of the machine others have used since: the noise in the figures.
    pub(crate) fn others_since(&self) -> anyhow::Result<String> {
        let now = Self::now()?;
        let elapsed = (now.at - self.at).as_secs_f64();
        let ours = now.ours.saturating_sub(self.ours);
        let others = (now.busy.saturating_sub(self.busy)).saturating_sub(ours);
        let stolen = now.stolen.saturating_sub(self.stolen);
        Ok(format!(
            "The run took {elapsed:.0} s. Other processes and kernel threads used {:.0} % of a core, \
             the hypervisor {:.0} %.",
            100.0 * others.as_secs_f64() / elapsed,
            100.0 * stolen.as_secs_f64() / elapsed,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_any_character_in_the_name_of_the_command() {
        let stat = "7 (a) b) 3) S 1 7 7 0 -1 4194560 1 0 0 0 200 50 30 20 20 0 1 0 9";
        assert_eq!(ticks(stat, 11..13).unwrap(), from_ticks(250));
        assert_eq!(ticks(stat, 11..15).unwrap(), from_ticks(300));
    }
}
