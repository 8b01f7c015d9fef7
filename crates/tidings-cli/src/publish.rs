//! `tidings publish`: publishes events from flags, a file or standard input.

mod flags;
mod metadata;

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::{Client, ClientError};
use tidings_event::{NewEvent, Receipt, Recipients};

use crate::delivery::document::{self, Document};
use crate::delivery::{self, Purpose, Source};
use crate::output::{self, Printed};
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;
pub(crate) use flags::EventArgs;
pub(crate) use metadata::MetadataEntry;

/// All three forms, so that the usage error for a missing --acted-upon shows the others.
const USAGE: &str = "\
tidings publish --acted-upon <UUID> --category <NAME> --action <NAME> --severity <NAME> [OPTIONS]
       tidings publish --file <FILE> [OPTIONS]
       tidings publish --stdin [OPTIONS]";

const DETAILS: &str = "\
Prints the id of each stored event, or with --json the event. If the server repairs an event, such as a
text that is too long, it stores the event, and a warning goes to standard error. If the server rejects
an event, standard error lists its faults and the exit code is 1. Publishing an event again under the
same --id stores nothing and prints the stored event. With several --owner, the event reaches the users who do
not have it yet, and standard error says how many.

With --stdin, a rejected line does not stop the others. Lines are sent in batches and stored in their
order. At the end, standard error reports how many events were stored, and the faults of the others by
line number; the exit code is 1 if a line was rejected. Standard output is empty unless --json is given.
After an interruption, only lines with an id can be sent again; others would be stored twice.

Examples:
  tidings publish --acted-upon 7b1d2c3e-0000-4000-8000-000000000001 --category connection \\
    --action register --severity success --description 'Connected to the cluster'
  tidings publish --acted-upon 7b1d2c3e-0000-4000-8000-000000000001 --category connection \\
    --action ping --description 'No answer' --error 'connection refused' \\
    --suggested-remediation 'start the cluster' --metadata node=a --metadata tries:=3
  tidings publish --stdin < events.jsonl";

/// Publish events from flags, a file or standard input
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// File with one JSON event, or an array that is stored as a whole or not at all; `-` for standard input.
    /// Replaces the event flags
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    file: Option<PathBuf>,
    /// Read events from standard input, one JSON object per line. Replaces the event flags
    #[arg(long)]
    stdin: bool,
    /// Print each stored event as a line of JSON instead of its id
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    retries: RetryArgs,
    #[command(flatten)]
    event: Box<EventArgs>,
}

/// Publishes events and prints the stored ones.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    if args.stdin {
        if io::stdin().is_terminal() {
            output::note("reading events, one JSON object per line; Ctrl-D ends the input");
        }
        let purpose = Purpose::Publish { prints: args.json };
        return delivery::run(client, args.retries, purpose, Source::stdin()).await;
    }
    let mut args = args;
    if let Some(recipients) = args.event.take_recipients()? {
        let event = args.event.into_new_event()?;
        return publish_to_many(&client, args.retries, event, &recipients, args.json).await;
    }
    let document = match &args.file {
        Some(file) => read(file)?,
        None => Document::One(Box::new(args.event.into_new_event()?)),
    };
    match publish(&client, args.retries, document).await {
        Ok(receipts) => print(&receipts, args.json),
        Err(error) => {
            output::report(&error);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Publishes an event to several owners, and prints its id. It gets one here, so that a retry stores nothing twice.
async fn publish_to_many(
    client: &Client,
    retries: RetryArgs,
    mut event: NewEvent,
    recipients: &Recipients,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    document::mint_id(&mut event);
    let request = async || client.publish_to_many(event.clone(), recipients).await;
    let receipt = match retries.send(output::note, request).await {
        Ok(response) => response.value,
        Err(error) => {
            output::report(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    for warning in event.warnings.iter().chain(&receipt.warnings) {
        output::note(format_args!("warning: {warning}"));
    }
    if receipt.retracted {
        output::note(format_args!(
            "{} was retracted and reaches no more owners",
            receipt.id
        ));
    }
    output::note(format_args!(
        "{} reached, {} already had it",
        owners(receipt.reached),
        receipt.repeated
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

/// A number of owners.
pub(crate) fn owners(number: u64) -> String {
    match number {
        1 => "1 owner".to_owned(),
        number => format!("{number} owners"),
    }
}

/// Publishes a document. Events without an id get one here, so that a retry stores nothing twice.
async fn publish(
    client: &Client,
    retries: RetryArgs,
    mut document: Document,
) -> Result<Vec<Receipt>, ClientError> {
    match &mut document {
        Document::One(event) => {
            document::mint_id(event);
            let request = async || client.publish((**event).clone()).await;
            let response = retries.send(output::note, request).await?;
            let receipt = response.value;
            for warning in event.warnings.iter().chain(&receipt.warnings) {
                output::note(format_args!("warning: {warning}"));
            }
            // After a failed request the event can be stored by that request.
            note_if_deleted(&receipt);
            if !receipt.deleted && receipt.repeated && !response.retried {
                output::note(format_args!("{} was already stored", receipt.id));
            }
            Ok(vec![receipt])
        }
        Document::Batch(events) => {
            for event in &mut *events {
                document::mint_id(event);
            }
            let request = async || client.publish_batch(events.iter().cloned()).await;
            let response = retries.send(output::note, request).await?;
            let receipts = response.value;
            let all_repeated = receipts.iter().all(|receipt| receipt.repeated);
            if all_repeated && !response.retried {
                output::note("all of these events were already stored");
            }
            for (index, (event, receipt)) in events.iter().zip(&receipts).enumerate() {
                for warning in event.warnings.iter().chain(&receipt.warnings) {
                    output::note(format_args!("warning: [{index}].{warning}"));
                }
            }
            receipts.iter().for_each(note_if_deleted);
            Ok(receipts)
        }
    }
}

/// Publishing a deleted event again does not restore it.
fn note_if_deleted(receipt: &Receipt) {
    if receipt.deleted {
        output::note(format_args!("{} was deleted and stays deleted", receipt.id));
    }
}

fn print(receipts: &[Receipt], as_json: bool) -> anyhow::Result<ExitCode> {
    for receipt in receipts {
        let printed = if as_json {
            output::print_line(output::escaped_json(&delivery::json_of(receipt)))
        } else {
            output::print_line(receipt.id)
        };
        if printed.context("could not write to standard output")? == Printed::ReaderGone {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Document> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("could not read standard input")?;
        text
    } else {
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?
    };
    document::read(&text).with_context(|| file.display().to_string())
}
