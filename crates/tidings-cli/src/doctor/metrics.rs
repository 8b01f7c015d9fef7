//! The checks that read the metrics of a server.

use tidings_client::{Client, ClientError};

use super::finding::{Finding, Report};
use crate::output::chain;

/// The counter of log lines that standard error did not accept.
const LOST_LINES: &str = "tidings_log_lines_dropped_total";

/// Checks the metrics listener, if there is one, and the number of lost log lines. Without a listener, a
/// server that does not show its metrics to this caller is not an error.
pub(super) async fn examine(
    server: &Client,
    listener: Option<&Client>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let metrics = match listener {
        Some(listener) => {
            let metrics = listener.metrics().await;
            report.add(&served(listener, &metrics))?;
            metrics
        }
        None => server.metrics().await,
    };
    match metrics.ok().as_deref().and_then(lost_lines) {
        Some(lost) => report.add(&log(lost)),
        None => Ok(()),
    }
}

fn served(listener: &Client, metrics: &Result<String, ClientError>) -> Finding {
    const CHECK: &str = "metrics";
    match metrics {
        Ok(text) if lost_lines(text).is_some() => Finding::ok(
            CHECK,
            format!("metrics are served at {}", listener.server()),
        ),
        Ok(_) => Finding::fail(
            CHECK,
            format!(
                "{} does not serve the metrics of Tidings",
                listener.server()
            ),
            "give the address of --metrics-listen by --metrics-url",
        ),
        Err(error) => Finding::fail(
            CHECK,
            chain(error),
            "start the server with --metrics-listen, or correct --metrics-url",
        ),
    }
}

fn log(lost: u64) -> Finding {
    const CHECK: &str = "log";
    match lost {
        0 => Finding::ok(CHECK, "no log lines were lost since the server started"),
        1 => lost_finding("1 log line was lost since the server started"),
        _ => lost_finding(&format!(
            "{lost} log lines were lost since the server started"
        )),
    }
}

fn lost_finding(text: &str) -> Finding {
    Finding::warn(
        "log",
        text,
        "check whether the server's standard error is read, and whether its disk is full",
    )
}

/// The value of the counter in the text format of Prometheus.
fn lost_lines(metrics: &str) -> Option<u64> {
    let mut samples = metrics.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = samples.find(|(name, _)| *name == LOST_LINES)?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn reads_the_counter_of_lost_lines() {
        let text = "# TYPE tidings_log_lines_dropped_total counter\n\
                    tidings_log_lines_dropped_total 7\nother 1\n";
        assert_eq!(lost_lines(text), Some(7));
        assert_eq!(lost_lines("other 1\n"), None);
        assert_eq!(lost_lines("tidings_log_lines_dropped_total many\n"), None);
    }

    #[test]
    fn warns_only_of_lost_lines() {
        for (lost, verdict, text) in [
            (0, Verdict::Ok, "no log lines were lost"),
            (1, Verdict::Warn, "1 log line was lost"),
            (2, Verdict::Warn, "2 log lines were lost"),
        ] {
            let finding = log(lost);
            assert_eq!(finding.verdict, verdict, "{lost}");
            assert!(finding.text.starts_with(text), "{}", finding.text);
        }
    }
}
