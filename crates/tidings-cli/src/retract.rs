//! `tidings retract`: takes published events back.

use std::collections::HashSet;
use std::process::ExitCode;

use tidings_event::{
    ChangeOutcome, ErrorCode, EventRef, Given, NewRetraction, OwnerKind, OwnerName,
};

use crate::output;
use crate::owner_flags::{is_of_system, not_blank};
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
The events disappear from the inbox of the user, on every screen at once, as if the user had deleted them. With
--system they disappear from the inboxes of all users. Publishing them again does not bring them back, as long as
the server remembers the deletion.

Only events that the caller's system has published can be retracted; see docs/identity.md. Standard error reports
how many; the exit code is 1 if an event could not be retracted. The command can be repeated.

Examples:
  tidings retract 01930000-0000-7000-8000-000000000042 --owner 7b1d2c3e-0000-4000-8000-000000000001
  tidings retract 01930000-0000-7000-8000-000000000042 --system";

/// Take published events back
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Ids of the events; `system:ID`, as in lists, is an event that every user sees
    #[arg(value_name = "ID", required = true)]
    ids: Vec<EventRef>,
    /// User that has the events, or `system` for every user [default: the caller]
    #[arg(long, value_name = "UUID|system", value_parser = not_blank)]
    owner: Option<String>,
    /// Retract events that every user sees; short for --owner system
    #[arg(long, conflicts_with = "owner")]
    system: bool,
    /// The user by their tokens' subject (`sub`), instead of --owner
    #[arg(long, value_name = "TEXT", value_parser = not_blank, conflicts_with_all = ["owner", "system"])]
    subject: Option<String>,
    /// Issuer (`iss`) of --subject [default: the issuer that the server accepts]
    #[arg(long, value_name = "TEXT", value_parser = not_blank, requires = "subject")]
    issuer: Option<String>,
    #[command(flatten)]
    retries: RetryArgs,
}

/// Retracts the events one after the other, and reports how many.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (owner, subject) = (args.owner.as_deref(), args.subject.as_deref());
    for id in &args.ids {
        is_of_system(*id, owner, subject)?;
    }
    let client = args.server.client()?;
    let of_owner = args.retraction();
    let mut of_system = NewRetraction::default();
    of_system.owner = OwnerName::System.into();
    let mut ids = args.ids.clone();
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    let mut retracted = 0;
    let mut failed = false;
    for (tried, id) in (1..).zip(&ids) {
        let retraction = match id.owner_kind {
            Some(OwnerKind::System) => &of_system,
            Some(OwnerKind::User) | None => &of_owner,
        };
        let request = async || client.retract_new(id.id, retraction).await;
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
                    if tried < ids.len() {
                        output::note(format_args!("{} not tried", ids.len() - tried));
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

impl Args {
    /// The owner of the events, unchecked: the server reports every fault at once.
    fn retraction(&self) -> NewRetraction {
        let mut retraction = NewRetraction::default();
        retraction.owner = match &self.owner {
            Some(owner) => Given::parse(owner),
            None if self.system => OwnerName::System.into(),
            None => Given::Absent,
        };
        retraction.subject = self.subject.clone().map_or(Given::Absent, Given::Value);
        retraction.issuer = self.issuer.clone().map_or(Given::Absent, Given::Value);
        retraction
    }
}
