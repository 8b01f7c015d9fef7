//! `tidings update`: replaces the content of a published event.

use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::Client;
use tidings_event::{EventId, EventRef, NewUpdate};

use crate::delivery;
use crate::output;
use crate::owner_flags::OwnerArgs;
use crate::publish::{EventArgs, MetadataEntry, owners};
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
Replaces severity, description and metadata as a whole: what is not given is removed. All other fields stay.
Every screen of the user shows the event with its new content at once. The event stays read or unread, unless
it becomes more urgent or --renotify is given.

Prints the id of the event, or with --json the event. Only events that the caller's system has published can be
updated; see docs/identity.md. If another update with this --sequence or a higher one is stored, nothing changes,
and standard error says so.

Examples:
  tidings update 01930000-0000-7000-8000-000000000042 --severity informational \\
    --description 'Deploying the shop' --progress 30 --sequence 3
  tidings update 01930000-0000-7000-8000-000000000042 --severity success \\
    --description 'Deployed the shop' --progress 100 --sequence 9";

/// Update the content of a published event
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Id of the event; `system:ID`, as in lists, is an event that every user sees
    #[arg(value_name = "ID")]
    id: EventRef,
    /// New severity: emergency, alert, critical, error, warning, success, informational or debug [default with
    /// --error: error]
    #[arg(long, value_name = "NAME", required_unless_present = "error")]
    severity: Option<String>,
    /// New description, for the user
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Additional data: key=text, or key:=json for a number, list or object (repeatable)
    #[arg(long, value_name = "KEY=TEXT|KEY:=JSON")]
    metadata: Vec<MetadataEntry>,
    /// Progress in percent, shown as a bar; short for --metadata progress:=N
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    progress: Option<u8>,
    /// Link to documentation
    #[arg(long, value_name = "URL")]
    doc: Option<String>,
    /// Short description of an error, one line (repeatable)
    #[arg(long, value_name = "SHORT")]
    error: Vec<String>,
    /// Code that identifies the error
    #[arg(long, value_name = "CODE", requires = "error")]
    error_code: Option<String>,
    /// Details of the error (repeatable)
    #[arg(long, value_name = "TEXT", requires = "error")]
    long_description: Vec<String>,
    /// Probable cause of the error (repeatable)
    #[arg(long, value_name = "TEXT", requires = "error")]
    probable_cause: Vec<String>,
    /// Suggested fix for the error (repeatable)
    #[arg(long, value_name = "TEXT", requires = "error")]
    suggested_remediation: Vec<String>,
    #[command(flatten)]
    owner: OwnerArgs,
    /// Number that orders the updates of the event: lower and equal ones are dropped from then on
    #[arg(long, value_name = "NUMBER")]
    sequence: Option<u64>,
    /// Make the event unread again
    #[arg(long)]
    renotify: bool,
    /// Print the event as a line of JSON instead of its id
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    retries: RetryArgs,
}

/// Updates the event and prints it.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let (id, as_json, retries) = (args.id.id, args.json, args.retries);
    let for_all = args.owner.all_owners;
    let update = args.into_update()?;
    if for_all {
        return update_for_all(&client, retries, (id, &update), as_json).await;
    }
    let request = async || client.update_new(id, &update).await;
    let receipt = match retries.send(output::note, request).await {
        Ok(response) => response.value,
        Err(error) => {
            output::report(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    for warning in &receipt.warnings {
        output::note(format_args!("warning: {warning}"));
    }
    let printed = if as_json {
        output::print_line(output::escaped_json(&delivery::json_of(&receipt)))
    } else {
        output::print_line(receipt.id)
    };
    printed.context("could not write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// Updates the event for all users to whom it was published together.
async fn update_for_all(
    client: &Client,
    retries: RetryArgs,
    (id, update): (EventId, &NewUpdate),
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let request = async || client.update_for_all(id, update).await;
    let receipt = match retries.send(output::note, request).await {
        Ok(response) => response.value,
        Err(error) => {
            output::report(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    for warning in &receipt.warnings {
        output::note(format_args!("warning: {warning}"));
    }
    if receipt.over_quota > 0 {
        let without = owners(receipt.over_quota);
        output::note(format_args!("warning: no room in the quota of {without}"));
    }
    if receipt.superseded {
        output::note("warning: a later update or a retraction reaches the rest");
    }
    output::note(format_args!(
        "updated for {}, {} unchanged",
        owners(receipt.updated),
        receipt.unchanged
    ));
    let printed = if as_json {
        let json = serde_json::to_string(&receipt).context("could not encode the receipt")?;
        output::print_line(output::escaped_json(&json))
    } else {
        output::print_line(receipt.id)
    };
    printed.context("could not write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The update, unchecked: the server reports every fault at once.
    fn into_update(self) -> Result<NewUpdate, clap::Error> {
        let named = self.owner.of(self.id)?;
        let content = EventArgs {
            severity: self.severity,
            description: self.description,
            metadata: self.metadata,
            progress: self.progress,
            doc: self.doc,
            error: self.error,
            error_code: self.error_code,
            long_description: self.long_description,
            probable_cause: self.probable_cause,
            suggested_remediation: self.suggested_remediation,
            ..EventArgs::default()
        };
        let event = content.into_new_event()?;
        let mut update = NewUpdate::default();
        update.owner = named.owner;
        update.subject = named.subject;
        update.issuer = named.issuer;
        update.severity = event.severity;
        update.description = event.description;
        update.metadata = event.metadata;
        update.sequence = self.sequence.map(Into::into);
        update.renotify = self.renotify.then_some(true.into());
        Ok(update)
    }
}
