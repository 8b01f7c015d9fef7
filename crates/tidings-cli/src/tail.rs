//! `tidings tail`: prints events as they happen.

mod change_line;

use std::num::NonZeroU64;
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::Received;
use tidings_event::{Event, EventFilter, OwnerKind, ResetReason, Start, Status, StreamItem};

use crate::color::{ColorArgs, Painter};
use crate::event_line::event_lines;
use crate::filter::{self, FilterArgs};
use crate::output::{self, Printed};
use crate::rejection;
use crate::server_url::ServerUrl;
use change_line::change_line;

const DETAILS: &str = "\
Runs until it is interrupted. It reconnects after a restart of the server and misses nothing. Notices
about the connection go to standard error. Before a token expires, a notice says so; with --token-file,
the command takes a new token from the file without a restart.

Each event is one line: time, severity, category/action and description. Suggested fixes of an error
are indented below it. Each change is one line: `read`, `unread`, `deleted` or `updated`, and the ids; `system:`
marks the system's event if one of your own has the same id. With --json each item of the stream is one
line:

  {\"cursor\":\"…\",\"event\":{…}}   an event
  {\"cursor\":\"…\",\"status\":{\"ids\":[…],\"status\":\"read\",…}}   events were marked
  {\"cursor\":\"…\",\"deleted\":{\"ids\":[…],…}}   events were deleted, retracted, or have expired
  {\"cursor\":\"…\",\"updated\":{\"event\":{…},…}}   the publisher replaced an event's content
  {\"cursor\":\"…\",\"ready\":{\"cursor\":\"…\",\"head\":\"…\"}}   connected, or catching up again
  {\"cursor\":\"…\",\"live\":{\"cursor\":\"…\",\"summary\":{…}}}   caught up, with the counts at this cursor
  {\"cursor\":\"…\",\"reset\":{\"cursor\":\"…\",\"reason\":\"…\"}}   updates were missed: reload the list
  {\"cursor\":\"…\",\"expiring\":{\"at\":\"…\"}}   the token is about to expire

To continue after a line, give its cursor to --since. Filters apply to events only: changes are always
shown, and counts are those of all events. A change names its effect on the counts (unread, read); if it
does not, the next `live` has the counts.

Examples:
  tidings tail                                          new events
  tidings tail --since earliest --count 20              the first 20 stored events
  tidings tail --severity error,critical --json         failures, for a program
  tidings tail --operation-id 7b1d2c3e-… --count 1      wait for the next event of an operation";

/// Print events as they happen
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Start after this cursor, or at the `earliest` stored event [default: new events only]
    #[arg(long, value_name = "CURSOR|earliest")]
    since: Option<Start>,
    /// Exit after N events
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// Print every item of the stream as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    color: ColorArgs,
    #[command(flatten)]
    filter: FilterArgs,
}

/// Prints until --count is reached, standard output is closed or the server rejects the stream.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let mut subscription = client.subscribe(args.since.unwrap_or(Start::Now));
    let mut tail = Tail {
        filter: args.filter.into(),
        as_json: args.json,
        painter: args.color.painter(),
        left: args.count.map(NonZeroU64::get),
        connected: false,
        renewal: args.server.access().renewal(),
    };
    loop {
        match subscription.next().await {
            Ok(Received::Item(item)) => {
                if tail.show(&item, subscription.owner_kind())? == Shown::Last {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            Ok(Received::Disconnected { error, retry_in }) => {
                tail.connected = false;
                let cause = output::chain(&error);
                output::note(format_args!("{cause}; reconnecting in {retry_in:.1?}"));
            }
            Err(error) => {
                output::report(&error);
                if rejection::is_of_token(&error) {
                    output::note(format_args!("  try: {}", tail.renewal));
                }
                return Ok(ExitCode::FAILURE);
            }
        }
    }
}

/// Which items to print, and how.
#[derive(Debug)]
struct Tail {
    filter: EventFilter,
    as_json: bool,
    painter: Painter,
    /// How many more events to print, if there is a limit.
    left: Option<u64>,
    /// Whether `ready` has arrived on this connection.
    connected: bool,
    /// How to supply another token.
    renewal: String,
}

/// Whether to print more items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    More,
    Last,
}

impl Tail {
    /// Prints an item unless the filter excludes it.
    fn show(&mut self, item: &StreamItem, owner_kind: Option<OwnerKind>) -> anyhow::Result<Shown> {
        if !self.lets_through(item, owner_kind) {
            return Ok(Shown::More);
        }
        let event = match item {
            StreamItem::Created { event, .. } => Some(event),
            _ => None,
        };
        let text = match event {
            _ if self.as_json => json_line(item),
            Some(event) => event_lines(event, self.painter),
            None => match change_line(item, self.painter) {
                Some(line) => line,
                None => {
                    output::note(self.notice(item));
                    return Ok(Shown::More);
                }
            },
        };
        let printed = output::print_line(text).context("could not write to standard output")?;
        if printed == Printed::ReaderGone {
            return Ok(Shown::Last);
        }
        if event.is_some()
            && let Some(left) = &mut self.left
        {
            *left -= 1;
        }
        Ok(match self.left {
            Some(0) => Shown::Last,
            _ => Shown::More,
        })
    }

    /// The notice for an item about the stream itself.
    fn notice(&mut self, item: &StreamItem) -> String {
        match item {
            StreamItem::Ready { cursor, .. } => {
                if std::mem::replace(&mut self.connected, true) {
                    format!("catching up from {cursor}")
                } else {
                    format!("connected; following from {cursor}")
                }
            }
            StreamItem::Live { summary, .. } => {
                format!("up to date; {} unread", summary.total(Status::Unread))
            }
            StreamItem::Reset { cursor, reason } => {
                let reason = match reason {
                    ResetReason::Malformed => "the starting point is not a cursor",
                    ResetReason::Foreign => {
                        "the cursor belongs to another user or installation, or to the time before a restore"
                    }
                    ResetReason::TooOld => "the changes after the cursor are no longer stored",
                    ResetReason::TooNew => "the cursor is ahead of the server",
                    _ => "the server cannot use the cursor",
                };
                format!(
                    "reset: {reason}; following from {cursor} instead. Events can be missing: \
                     run `tidings list`, or start again with --since earliest"
                )
            }
            StreamItem::Expiring { at, .. } => {
                format!("the token and this stream end at {at:.0}; {}", self.renewal)
            }
            _ => String::new(),
        }
    }

    fn lets_through(&self, item: &StreamItem, owner_kind: Option<OwnerKind>) -> bool {
        match item {
            StreamItem::Created { event, .. } => {
                let owner_kind = owner_kind.unwrap_or_else(|| usual_owner_kind(event));
                filter::matches(&self.filter, event, owner_kind)
            }
            _ => true,
        }
    }
}

/// The installation itself sends most system events.
fn usual_owner_kind(event: &Event) -> OwnerKind {
    match event.owner == Some(event.system_id.into()) {
        true => OwnerKind::System,
        false => OwnerKind::User,
    }
}

/// One item as one line of JSON: its cursor, and under its kind the payload of its frame.
fn json_line(item: &StreamItem) -> String {
    let kind = item.name().unwrap_or("event");
    let (cursor, data) = (item.cursor(), item.data());
    let data = output::escaped_json(&data);
    format!(r#"{{"cursor":"{cursor}","{kind}":{data}}}"#)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::{Value, json};
    use tidings_event::Cursor;

    use super::*;
    use crate::sample;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn cursor() -> Cursor {
        "2-1-00000000".parse().unwrap()
    }

    fn tail() -> Tail {
        Tail {
            filter: EventFilter::default(),
            as_json: false,
            painter: Painter::with_color(false),
            left: None,
            connected: false,
            renewal: "put a fresh one there".to_owned(),
        }
    }

    #[test]
    fn reports_the_first_ready_of_a_connection_as_connected() {
        let ready = StreamItem::Ready {
            cursor: cursor(),
            head: cursor(),
        };
        let mut tail = tail();
        assert!(tail.notice(&ready).starts_with("connected; following"));
        assert!(tail.notice(&ready).starts_with("catching up"));
        tail.connected = false;
        assert!(tail.notice(&ready).starts_with("connected; following"));
    }

    #[test]
    fn announces_the_end_of_a_token_with_a_fix() {
        let notice = tail().notice(&StreamItem::Expiring {
            cursor: cursor(),
            at: "2026-08-01T10:00:00.5Z".parse().unwrap(),
        });
        assert_eq!(
            notice,
            "the token and this stream end at 2026-08-01T10:00:00Z; put a fresh one there"
        );
    }

    #[test]
    fn json_lines_have_the_cursor_and_the_payload_under_its_kind() {
        let item = StreamItem::Created {
            cursor: cursor(),
            event: Box::new(sample::event(&json!(null))),
        };
        let line = json_line(&item);
        assert!(!line.contains(char::is_control), "{line}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["cursor"], "2-1-00000000");
        assert_eq!(
            value["event"],
            serde_json::to_value(sample::event(&json!(null))).unwrap()
        );

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
    fn leaves_malformed_cursors_to_the_server() {
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
    fn reports_a_reset_with_its_reason_and_a_fix() {
        let notice = tail().notice(&StreamItem::Reset {
            cursor: cursor(),
            reason: ResetReason::Malformed,
        });
        assert!(notice.contains("is not a cursor"), "{notice}");
        assert!(notice.contains("from 2-1-00000000"), "{notice}");
        assert!(notice.contains("--since earliest"), "{notice}");
    }
}
