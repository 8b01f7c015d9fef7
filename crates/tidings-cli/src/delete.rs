//! `tidings delete`: deletes events.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::Client;
use tidings_event::{Change, Event, EventFilter, EventPage, PageRequest, Total};

use crate::change;
use crate::output;
use crate::selection::{self, Selected, SelectionArgs};
use crate::server_url::ServerUrl;

const USAGE: &str = "\
tidings delete <ID>...
       tidings delete <FILTERS> [--yes]
       tidings delete --all [--yes]";

const DETAILS: &str = "\
All clients of the user show the change at once. A system event is deleted for this user only. Standard
error reports how many events were deleted; the exit code is 1 if an id never existed.

With a filter or --all, the command shows the number of events and the newest ones, and asks. Without a
terminal it deletes nothing unless --yes is given. Events that are published meanwhile are not deleted.
After an interruption, run the command again.

Examples:
  tidings delete 01930000-0000-7000-8000-000000000042
  tidings delete --status read --to 2026-08-01T00:00:00Z
  tidings delete --severity debug --yes";

/// How many events to show before asking.
const SHOWN: u64 = 3;

/// The longest shown description, in characters.
const DESCRIPTION_CHARS: usize = 60;

/// Delete events
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = DETAILS)]
pub(crate) struct Args {
    /// Delete without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    server: ServerUrl,
    #[command(flatten)]
    selection: SelectionArgs,
}

/// Deletes events and reports how many. Asks first, unless ids are given.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let selected = args.selection.selected()?;
    let client = args.server.client()?;
    let deleted = match selected {
        Selected::Ids(ids) => change::by_ids(&client, &ids, Change::Delete).await,
        Selected::Matching(filter) => {
            let page = match look(&client, &filter, args.yes).await {
                Ok(page) => page,
                Err(error) => {
                    output::report(&error);
                    return Ok(ExitCode::FAILURE);
                }
            };
            if !args.yes && !agreed(&page, filter.is_empty())? {
                return Ok(ExitCode::FAILURE);
            }
            let selection = selection::matching(filter, page.cursor);
            change::by_selection(&client, &selection, Change::Delete).await
        }
    };
    Ok(change::report(deleted, "deleted"))
}

/// The events to delete, newest first.
async fn look(
    client: &Client,
    filter: &EventFilter,
    unasked: bool,
) -> Result<EventPage, tidings_client::ClientError> {
    let page = PageRequest::default()
        .with_size(SHOWN)
        .with_total(if unasked { Total::Left } else { Total::Counted });
    client.list(filter.clone(), page).await
}

/// Asks whether to delete these events. Without any, there is nothing to ask.
fn agreed(page: &EventPage, all: bool) -> anyhow::Result<bool> {
    let number = page.total_count.unwrap_or(page.events.len() as u64);
    if number == 0 {
        return Ok(true);
    }
    let (events, verb) = match number {
        1 => ("1 event".to_owned(), "matches"),
        _ => (format!("{number} events"), "match"),
    };
    if all {
        output::note(format_args!("{events} in all, newest first:"));
    } else {
        output::note(format_args!("{events} {verb}, newest first:"));
    }
    for event in &page.events {
        output::note(line(event));
    }
    if number > page.events.len() as u64 {
        output::note("  …");
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        output::note("error: nothing was deleted, since there is no terminal to ask on");
        output::note("  try: --yes to delete without asking");
        return Ok(false);
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "Delete {events}? [y/N] ").context("could not write to standard error")?;
    drop(stderr);
    let mut response = String::new();
    io::stdin()
        .read_line(&mut response)
        .context("could not read standard input")?;
    let agreed = matches!(response.trim().to_lowercase().as_str(), "y" | "yes");
    if !agreed {
        output::note("nothing was deleted");
    }
    Ok(agreed)
}

fn line(event: &Event) -> String {
    let mut description: String = event.description.chars().take(DESCRIPTION_CHARS).collect();
    if description.len() < event.description.len() {
        description.push('…');
    }
    format!(
        "  {:.0}  {}  {}/{}  {description}",
        event.created_at, event.severity, event.category, event.action
    )
}
