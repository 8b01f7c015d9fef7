//! `tidings retract`: takes published events back.

use std::collections::HashSet;
use std::process::ExitCode;

use tidings_event::{ChangeOutcome, ErrorCode, EventRef};

use crate::output;
use crate::owner_flags::OwnerArgs;
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
The events disappear from the inbox of the user, on every screen at once, as if the user had deleted them. With
--system they disappear from the inboxes of all users, with --all-owners from those of the users to whom they were
published together. Publishing them again does not bring them back, as long as
the server remembers the deletion.

Only events that the caller's system has published can be retracted; see docs/identity.md. Standard error reports
how many; the exit code is 1 if an event could not be retracted. The command can be repeated.

Examples:
  tidings retract 01930000-0000-7000-8000-000000000042 --owner 7b1d2c3e-0000-4000-8000-000000000001
  tidings retract 01930000-0000-7000-8000-000000000042 --system
  tidings retract 01930000-0000-7000-8000-000000000042 --all-owners";

/// Take published events back
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Ids of the events; `system:ID`, as in lists, is an event that every user sees
    #[arg(value_name = "ID", required = true)]
    ids: Vec<EventRef>,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    retries: RetryArgs,
}

/// Retracts the events one after the other, and reports how many.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut seen = HashSet::new();
    let mut events = Vec::with_capacity(args.ids.len());
    for id in args.ids.into_iter().filter(|id| seen.insert(*id)) {
        events.push((id, args.owner.of(id)?));
    }
    let client = args.server.client()?;
    let mut retracted = 0;
    let mut failed = false;
    for (tried, (id, retraction)) in (1..).zip(&events) {
        let request = async || match args.owner.all_owners {
            true => client.retract_from_all(id.id).await,
            false => client.retract_new(id.id, retraction).await,
        };
        match args
            .retries
            .send(output::note, request)
            .await
            .map(|sent| sent.value)
        {
            Ok(ChangeOutcome::Done) => retracted += 1,
            Ok(ChangeOutcome::NotFound) => {
                output::note(format_args!("error: the owner has no event {id}"));
                failed = true;
            }
            Err(error) => {
                output::report(&error);
                failed = true;
                let code = error.rejection().map(|rejection| rejection.code);
                if code != Some(ErrorCode::ForeignSystem) {
                    // The next event would have the same fault.
                    if tried < events.len() {
                        output::note(format_args!("{} not tried", events.len() - tried));
                    }
                    break;
                }
            }
        }
    }
    output::note(format_args!("{retracted} retracted"));
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}
