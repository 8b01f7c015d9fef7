//! `tidings publish`: stores events from the command line, a file or a stream of lines.

mod flags;
mod metadata;

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_client::{Client, ClientError};
use tidings_event::Receipt;

use crate::delivery::document::{self, Document};
use crate::delivery::{self, Purpose, Source};
use crate::output::{self, Printed};
use crate::retry::RetryArgs;
use crate::server_url::ServerUrl;
use flags::EventArgs;

/// All ways to say what to publish, so that whoever leaves out --acted-upon sees the other ones.
const USAGE: &str = "\
tidings publish --acted-upon <UUID> --category <NAME> --action <NAME> --severity <NAME> [OPTIONS]
       tidings publish --file <FILE> [OPTIONS]
       tidings publish --stdin [OPTIONS]";

const DETAILS: &str = "\
Prints one line for each stored event: its id, or with --json the event. What the server repaired in an
event, such as a severity in other words or a text that was too long, is a warning on standard error, and
the event is stored. Events that are refused are explained there, one fault a line, and the exit code is 1. Publishing an event with the
id of a stored one stores nothing and prints the stored one, so that an event with an --id may be
sent again.

With --stdin, a line that is no event or is refused does not stop the others. Lines are sent as they
come, many at a time if there are many, and are stored in their order. At the end standard error says
how many were stored and what is wrong with the others, by line number; the exit code is 1 if there
are any. Nothing goes to standard output, unless --json asks for the stored events. When it is cut
off, lines with an id of their own may be sent again; lines without one would be stored twice.

Examples:
  tidings publish --acted-upon 7b1d2c3e-0000-4000-8000-000000000001 --category connection \\
    --action register --severity success --description 'Connected to the cluster'
  tidings publish --acted-upon 7b1d2c3e-0000-4000-8000-000000000001 --category connection \\
    --action ping --description 'No answer' --error 'connection refused' \\
    --suggested-remediation 'start the cluster' --metadata node=a --metadata tries:=3
  tidings publish --stdin < events.jsonl";

/// Publish an event, or the events of a file or of standard input
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    /// Read JSON from a file, or from standard input if it is `-`: one event, or an array, of which
    /// all are stored or none. Takes the place of the flags that make up one event
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    file: Option<PathBuf>,
    /// Read events from standard input, one JSON object a line. Takes the place of the flags that
    /// make up one event
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

/// Publishes and prints what is stored.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    if args.stdin {
        if io::stdin().is_terminal() {
            output::note("reading events, one JSON object a line; Ctrl-D ends");
        }
        let purpose = Purpose::Publish { prints: args.json };
        return delivery::run(client, args.retries, purpose, Source::stdin()).await;
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

/// Publishes all of a document. What is sent is named here, so that it can be sent again.
async fn publish(
    client: &Client,
    retries: RetryArgs,
    mut document: Document,
) -> Result<Vec<Receipt>, ClientError> {
    match &mut document {
        Document::One(event) => {
            document::mint_id(event);
            let request = async || client.publish((**event).clone()).await;
            let answer = retries.send(output::note, request).await?;
            let receipt = answer.value;
            for warning in event.warnings.iter().chain(&receipt.warnings) {
                output::note(format_args!("warning: {warning}"));
            }
            // After a failed request it may have been that one.
            note_if_deleted(&receipt);
            if !receipt.deleted && receipt.repeated && !answer.retried {
                output::note(format_args!("{} was already stored", receipt.id));
            }
            Ok(vec![receipt])
        }
        Document::Batch(events) => {
            for event in &mut *events {
                document::mint_id(event);
            }
            let request = async || client.publish_batch(events.iter().cloned()).await;
            let answer = retries.send(output::note, request).await?;
            let receipts = answer.value;
            let all_repeated = receipts.iter().all(|receipt| receipt.repeated);
            if all_repeated && !answer.retried {
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

/// An event does not return by being published again.
fn note_if_deleted(receipt: &Receipt) {
    if receipt.deleted {
        output::note(format_args!(
            "{} was deleted since and stays deleted",
            receipt.id
        ));
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
