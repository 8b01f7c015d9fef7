//! `tidings summary`: counts events.

use std::process::ExitCode;

use anyhow::Context as _;
use comfy_table::{CellAlignment, Table, presets};
use tidings_event::{Severity, Status, Summary};

use crate::output;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
The counts are exact. With --json they are one line, with the cursor at which they hold:

  {\"totalCount\":3,\"unreadCount\":2,\"readCount\":1,\"unread\":{\"error\":2},\"read\":{\"success\":1},\"cursor\":\"…\",\"systemId\":\"…\"}

To keep them current, follow with `tidings tail --since` and this cursor.";

/// Count events by severity and status
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Print the counts as a line of JSON
    #[arg(long)]
    json: bool,
}

/// Prints the counts.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let summary = match client.summary().await {
        Ok(summary) => summary,
        Err(error) => {
            output::report(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let text = if args.json {
        serde_json::to_string(&summary).context("could not write the counts")?
    } else {
        table(&summary.counts)
    };
    output::print_line(text).context("could not write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// A row for each severity with events, most urgent first, and a total.
fn table(counts: &Summary) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["SEVERITY", "UNREAD", "READ", "TOTAL"]);
    for severity in Severity::ALL {
        let count = |status| counts.of(status).get(&severity).copied().unwrap_or(0);
        let (unread, read) = (count(Status::Unread), count(Status::Read));
        if unread + read > 0 {
            table.add_row(row(severity.as_str(), unread, read));
        }
    }
    let total = |status| counts.total(status);
    table.add_row(row("all", total(Status::Unread), total(Status::Read)));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn row(name: &str, unread: u64, read: u64) -> [String; 4] {
    let total = unread + read;
    [name.to_owned()]
        .into_iter()
        .chain([unread, read, total].map(|number| number.to_string()))
        .collect::<Vec<_>>()
        .try_into()
        .expect("a name and three numbers are four")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_a_row_per_severity_and_a_total() {
        let mut counts = Summary::default();
        counts.add(Status::Unread, Severity::Success, 12);
        counts.add(Status::Read, Severity::Success, 3);
        counts.add(Status::Read, Severity::Alert, 1);
        let table = table(&counts);
        let rows: Vec<Vec<_>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0], ["SEVERITY", "UNREAD", "READ", "TOTAL"]);
        assert_eq!(rows[1], ["alert", "0", "1", "1"]);
        assert_eq!(rows[2], ["success", "12", "3", "15"]);
        assert_eq!(rows[3], ["all", "12", "4", "16"]);
        assert_eq!(rows.len(), 4);
    }
}
