//! Metrics of the process, under the names that all Prometheus clients use.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// The fields of `/proc/self/stat` after the name of the program, counted from 0 (proc(5)).
const UTIME: usize = 11;
const STIME: usize = 12;
const THREADS: usize = 17;
const START_TIME: usize = 19;
const VIRTUAL_BYTES: usize = 20;
const RESIDENT_PAGES: usize = 21;

/// Reads `/proc` for each scrape. A system without `/proc` has no such metrics.
#[derive(Debug)]
pub(super) struct Process;

/// The used fields of `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    /// The start of the process in clock ticks since the machine started.
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name is in parentheses and can itself contain some.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(UTIME)? + field(STIME)?,
            threads: field(THREADS)?,
            start_ticks: field(START_TIME)?,
            virtual_bytes: field(VIRTUAL_BYTES)?,
            resident_pages: field(RESIDENT_PAGES)?,
        })
    }
}

/// The time of the machine's start in Unix seconds.
fn boot_time() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "));
    line?.trim().parse().ok()
}

fn open_files() -> Option<u64> {
    let directory = "/proc/self/fd";
    // Since Linux 6.2 the size of the directory is the number of open files. Listing thousands of them
    // takes milliseconds.
    let size = fs::metadata(directory).ok()?.len();
    if size > 0 {
        return Some(size);
    }
    // The listing itself has one file open.
    Some((fs::read_dir(directory).ok()?.count() as u64).saturating_sub(1))
}

fn seconds(ticks: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a tick is 10 ms")]
    let seconds = ticks as f64 / clock_ticks_per_second() as f64;
    seconds
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name, help, unit: Option<&Unit>, value: u64| {
            let encoder = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            ConstGauge::new(value).encode(encoder)
        };
        if let Some(open) = open_files() {
            gauge("process_open_fds", "Open files", None, open)?;
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            gauge("process_max_fds", "The limit of open files", None, most)?;
        }
        let Some(stat) = Stat::read() else {
            return Ok(());
        };
        gauge("process_threads", "Threads", None, stat.threads)?;
        gauge(
            "process_virtual_memory",
            "Addressable memory",
            Some(&Unit::Bytes),
            stat.virtual_bytes,
        )?;
        gauge(
            "process_resident_memory",
            "Memory in RAM",
            Some(&Unit::Bytes),
            stat.resident_pages.saturating_mul(page_size() as u64),
        )?;
        let cpu = encoder.encode_descriptor(
            "process_cpu",
            "CPU time, of the program and of the system for it",
            Some(&Unit::Seconds),
            MetricType::Counter,
        )?;
        ConstCounter::new(seconds(stat.cpu_ticks)).encode(cpu)?;
        let Some(boot_time) = boot_time() else {
            return Ok(());
        };
        let start = encoder.encode_descriptor(
            "process_start_time",
            "Start of the process, in seconds since 1970",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let boot_time = boot_time as f64;
        ConstGauge::new(boot_time + seconds(stat.start_ticks)).encode(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_after_a_name_with_parentheses() {
        let numbers = (0..40).map(|number| (100 + number).to_string());
        let numbers: Vec<_> = numbers.collect();
        let text = format!("7 (a) b (c)) S {}", numbers.join(" "));
        let expected = Stat {
            cpu_ticks: 110 + 111,
            threads: 116,
            start_ticks: 118,
            virtual_bytes: 119,
            resident_pages: 120,
        };
        assert_eq!(Stat::parse(&text), Some(expected));
        assert_eq!(Stat::parse("7 (a) S 1 2"), None);
    }

    #[test]
    fn reads_the_metrics_of_this_process() {
        let stat = Stat::read().unwrap();
        assert!(stat.threads > 0 && stat.resident_pages > 0);
        assert!(open_files().unwrap() > 2);
        assert!(boot_time().unwrap() > 1_000_000_000);
    }
}
