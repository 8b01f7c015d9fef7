//! `tidings retract`: takes published events back.

use std::process::ExitCode;

use tidings_event::{ChangeOutcome, ErrorCode, EventId, Given, NewRetraction, OwnerName};

use crate::output;
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
The events disappear from the inbox of the user, on every screen at once, as if the user had deleted them; those
with --system from the inbox of every user. Publishing them again does not bring them back.

Only events that the caller's system has published can be retracted; see docs/identity.md. Standard error reports
how many; the exit code is 1 if an event could not be retracted. To repeat the command is safe.

Examples:
  tidings retract 01930000-0000-7000-8000-000000000042 --owner 7b1d2c3e-0000-4000-8000-000000000001
  tidings retract 01930000-0000-7000-8000-000000000042 --system";

/// Take published events back
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Ids of the events
    #[arg(value_name = "ID", required = true)]
    ids: Vec<EventId>,
    /// User that has the events, or `system` for every user [default: the caller]
    #[arg(long, value_name = "UUID|system")]
    owner: Option<String>,
    /// Retract events that every user sees; short for --owner system
    #[arg(long, conflicts_with = "owner")]
    system: bool,
    /// The user by their tokens' subject (`sub`), instead of --owner
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["owner", "system"])]
    subject: Option<String>,
    /// Issuer (`iss`) of --subject [default: the issuer that the server accepts]
    #[arg(long, value_name = "TEXT", requires = "subject")]
    issuer: Option<String>,
    #[command(flatten)]
    retries: RetryArgs,
}

/// Retracts the events one after the other, and reports how many.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let retraction = args.retraction();
    let mut retracted = 0;
    let mut failed = false;
    for id in &args.ids {
        let request = async || client.retract_new(*id, &retraction).await;
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
