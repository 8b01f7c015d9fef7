//! `tidings tail`: prints events as they are published.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;
use tidings_client::Followed;
use tidings_event::{Event, ResetReason, Start, Status, StreamItem};

use crate::output::{self, Printed};
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
Runs until it is interrupted, and through restarts of the server: it reconnects and misses nothing.
Notices about the connection go to standard error.

Plain output is one line for each event: time, severity, category/action and description, with what
the user can do about an error indented beneath. With --json each item of the stream is one line:

  {\"cursor\":\"…\",\"event\":{…}}   an event
  {\"cursor\":\"…\",\"ready\":{\"cursor\":\"…\",\"head\":\"…\"}}   connected, also after a reconnection
  {\"cursor\":\"…\",\"live\":{\"cursor\":\"…\",\"summary\":{…}}}   caught up, with the counts there
  {\"cursor\":\"…\",\"reset\":{\"cursor\":\"…\",\"reason\":\"…\"}}   events may be missing: list them

The cursor of a line is what --since takes to go on behind it.";

/// Print events as they are published
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Start behind a cursor, or with the `earliest` event that is kept [default: from now on]
    #[arg(long, value_name = "CURSOR|earliest")]
    since: Option<Start>,
    /// Print every item of the stream as a line of JSON
    #[arg(long)]
    json: bool,
}

/// Prints until the reader of standard output has gone or the server refuses.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let mut follow = client.follow(args.since.unwrap_or(Start::Now));
    loop {
        match follow.next().await {
            Ok(Followed::Item(item)) => {
                if print(&item, args.json)? == Printed::ReaderGone {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            Ok(Followed::Disconnected { error, retry_in }) => {
                let cause = output::chain(&error);
                output::note(format_args!("{cause}; reconnecting in {retry_in:.1?}"));
            }
            Err(error) => {
                output::report(&error);
                return Ok(ExitCode::FAILURE);
            }
        }
    }
}

fn print(item: &StreamItem, as_json: bool) -> anyhow::Result<Printed> {
    let text = match item {
        _ if as_json => json_line(item),
        StreamItem::Created { event, .. } => event_lines(event),
        other => {
            output::note(notice(other));
            return Ok(Printed::Yes);
        }
    };
    output::print_line(text).context("could not write to standard output")
}

/// One item as one line of JSON: its cursor, and under its kind the payload of its frame.
fn json_line(item: &StreamItem) -> String {
    let kind = item.name().unwrap_or("event");
    let (cursor, data) = (item.cursor(), item.data());
    let data = output::escaped_json(&data);
    format!(r#"{{"cursor":"{cursor}","{kind}":{data}}}"#)
}

/// An event for people: one line, and one for each thing the user can do.
fn event_lines(event: &Event) -> String {
    let mut lines = format!(
        "{:.3}  {:<13}  {}/{}  {}",
        event.created_at,
        event.severity.as_str(),
        event.category,
        event.action,
        output::escaped(&event.description)
    );
    for remedy in remedies(event) {
        lines += "\n    try: ";
        lines += &output::escaped(remedy);
    }
    lines
}

/// What the cause of the event suggests to do. The server stores it as an array of texts.
fn remedies(event: &Event) -> impl Iterator<Item = &str> {
    event
        .metadata
        .iter()
        .filter_map(|metadata| {
            metadata
                .get("error")?
                .get("SuggestedRemediation")?
                .as_array()
        })
        .flatten()
        .filter_map(Value::as_str)
}

/// What there is to say about an item that is no event.
fn notice(item: &StreamItem) -> String {
    match item {
        StreamItem::Ready { cursor, .. } => format!("connected; following from {cursor}"),
        StreamItem::Live { summary, .. } => {
            format!("up to date; {} unread", summary.total(Status::Unread))
        }
        StreamItem::Reset { cursor, reason } => {
            let reason = match reason {
                ResetReason::Malformed => "what was given as the starting point is not a cursor",
                ResetReason::Foreign => {
                    "the cursor is of another user or installation, or from before a restore"
                }
                ResetReason::TooOld => "the changes behind the cursor are no longer kept",
                ResetReason::TooNew => "the cursor is ahead of the server",
            };
            format!(
                "reset: {reason}; following from {cursor} instead. Events may be missing here: list \
                 them, or start again with --since earliest"
            )
        }
        StreamItem::Created { event, .. } => event.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;
    use tidings_event::Cursor;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn cursor() -> Cursor {
        "2-1-00000000".parse().unwrap()
    }

    fn event() -> Event {
        serde_json::from_value(json!({
            "id": "0c0ffee0-0000-4000-8000-000000000001",
            "operationId": "0c0ffee0-0000-4000-8000-000000000001",
            "actedUpon": "0c0ffee0-0000-4000-8000-000000000001",
            "category": "connection",
            "action": "ping",
            "severity": "error",
            "status": "unread",
            "description": "no\n\u{1b}[2Janswer",
            "metadata": {"error": {"SuggestedRemediation": ["start it", "ping\u{9b} again"]}},
            "createdAt": "2026-08-01T10:00:00.123456789Z",
            "updatedAt": "2026-08-01T10:00:00.123456789Z",
        }))
        .unwrap()
    }

    #[test]
    fn an_event_is_one_line_with_its_remedies_beneath() {
        assert_eq!(
            event_lines(&event()),
            "2026-08-01T10:00:00.123Z  error          connection/ping  no\\n\\u{1b}[2Janswer\n    \
             try: start it\n    try: ping\\u{9b} again"
        );
    }

    #[test]
    fn an_odd_cause_has_no_remedies() {
        for odd in [
            json!(null),
            json!("x"),
            json!({"SuggestedRemediation": "x"}),
        ] {
            let mut event = event();
            event.metadata = json!({ "error": odd }).as_object().cloned();
            assert_eq!(remedies(&event).count(), 0);
        }
    }

    #[test]
    fn json_has_the_cursor_and_the_payload_under_its_kind() {
        let item = StreamItem::Created {
            cursor: cursor(),
            event: Box::new(event()),
        };
        let line = json_line(&item);
        assert!(!line.contains(char::is_control), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["cursor"], "2-1-00000000");
        assert_eq!(value["event"], serde_json::to_value(event()).unwrap());

        let reset = StreamItem::Reset {
            cursor: cursor(),
            reason: ResetReason::TooOld,
        };
        assert_eq!(
            json_line(&reset),
            r#"{"cursor":"2-1-00000000","reset":{"cursor":"2-1-00000000","reason":"too_old"}}"#
        );
    }

    #[test]
    fn any_starting_point_is_taken_and_judged_by_the_server() {
        for (since, start) in [
            ("earliest", Start::Earliest),
            ("2-1-00000000", Start::After(cursor())),
            ("yesterday", Start::Malformed),
        ] {
            let cli = Cli::try_parse_from(["tail", "--since", since]).unwrap();
            assert_eq!(cli.args.since, Some(start));
        }
    }

    #[test]
    fn a_reset_says_why_and_what_to_do() {
        let notice = notice(&StreamItem::Reset {
            cursor: cursor(),
            reason: ResetReason::Malformed,
        });
        assert!(notice.contains("is not a cursor"), "{notice}");
        assert!(notice.contains("from 2-1-00000000"), "{notice}");
        assert!(notice.contains("--since earliest"), "{notice}");
    }
}
