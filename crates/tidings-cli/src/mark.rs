//! `tidings mark`: marks events as read or unread.

use std::process::ExitCode;

use tidings_client::{Client, ClientError};
use tidings_event::{Change, EventFilter, PageRequest, Status, Total};

use crate::change::{self, ChangeResult};
use crate::selection::{self, Selected, SelectionArgs};
use crate::server_url::ServerUrl;

const USAGE: &str = "\
tidings mark <--read|--unread> <ID>...
       tidings mark <--read|--unread> <FILTERS>
       tidings mark <--read|--unread> --all";

const DETAILS: &str = "\
All clients of the user show the change at once. Standard error reports how many events changed; the exit
code is 1 if an id does not exist. With a filter or --all, events that are published meanwhile are not
marked. After an interruption, run the command again.

Examples:
  tidings mark --read 01930000-0000-7000-8000-000000000042
  tidings mark --read --severity debug,informational --to 2026-08-01T00:00:00Z
  tidings mark --read --all";

/// Mark events as read or unread
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    status: StatusArgs,
    #[command(flatten)]
    server: ServerUrl,
    #[command(flatten)]
    selection: SelectionArgs,
}

/// The new status.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct StatusArgs {
    /// Mark as read
    #[arg(long)]
    read: bool,
    /// Mark as unread
    #[arg(long)]
    unread: bool,
}

impl From<StatusArgs> for Status {
    fn from(args: StatusArgs) -> Self {
        if args.unread {
            Self::Unread
        } else {
            Self::Read
        }
    }
}

/// Marks events and reports how many.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let selected = args.selection.selected()?;
    let client = args.server.client()?;
    let status = Status::from(args.status);
    let change = Change::Status(status);
    let changed = match selected {
        Selected::Ids(ids) => change::by_ids(&client, &ids, change).await,
        Selected::Matching(filter) => matching(&client, filter, change).await,
    };
    Ok(change::report(changed, &format!("marked as {status}")))
}

async fn matching(
    client: &Client,
    filter: EventFilter,
    change: Change,
) -> Result<ChangeResult, ClientError> {
    let page = PageRequest::default().with_size(1).with_total(Total::Left);
    let up_to = client.list(EventFilter::default(), page).await?.cursor;
    let selection = selection::matching(filter, up_to);
    change::by_selection(client, &selection, change).await
}
