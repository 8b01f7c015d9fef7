//! `tidings publish`: stores events from the command line or a file.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};
use tidings_client::{ClientError, Receipt};
use tidings_event::{Event, Given, Metadata, NewEvent};

use crate::output::{self, Printed};
use crate::server_url::ServerUrl;

/// Both ways to say what to publish, so that whoever leaves out --acted-upon sees the other one.
const USAGE: &str = "\
tidings publish --acted-upon <UUID> --category <NAME> --action <NAME> --severity <NAME> [OPTIONS]
       tidings publish --file <FILE> [OPTIONS]";

const DETAILS: &str = "\
Prints one line for each stored event: its id, or with --json the event. Events that are refused are
explained on standard error, one fault a line, and the exit code is 1. Publishing an event with the
id of a stored one stores nothing and prints the stored one, so that an event with an --id may be
sent again.";

/// Publish an event, or the events of a file
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = DETAILS)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerUrl,
    #[command(flatten)]
    event: Box<EventArgs>,
    /// Read JSON from a file, or from standard input if it is `-`: one event, or an array, of which
    /// all are stored or none. Takes the place of the flags that make up one event
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print each stored event as a line of JSON instead of its id
    #[arg(long)]
    json: bool,
}

/// One event by flags. Its texts go to the server as they are: the rules live there, and it names
/// every fault at once.
#[derive(Debug, Default, clap::Args)]
#[group(id = "event", multiple = true, conflicts_with = "file")]
struct EventArgs {
    /// The resource the event is about. Required, unless --file gives the event
    #[arg(long, value_name = "UUID", required_unless_present = "file")]
    acted_upon: Option<String>,
    /// What it belongs to, in `snake_case`, such as `connection`
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
    /// What was done, in `snake_case`, such as `register`
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// One of emergency, alert, critical, error, warning, success, informational, debug
    #[arg(long, value_name = "NAME")]
    severity: Option<String>,
    /// What happened, in words for the user
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What else the user should know: a JSON object
    #[arg(long, value_name = "JSON", value_parser = parse_metadata)]
    metadata: Option<Metadata>,
    /// The user it is for, or `system` for every user [default: the caller]
    #[arg(long, value_name = "UUID|system")]
    owner: Option<String>,
    /// Names the event, so that it may be sent again [default: minted by the server]
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// Makes it part of an operation [default: one of its own]
    #[arg(long, value_name = "UUID")]
    operation_id: Option<String>,
    /// A link to documentation
    #[arg(long, value_name = "URL")]
    doc: Option<String>,
    /// What went wrong, in one line; may be given several times
    #[arg(long, value_name = "SHORT")]
    error: Vec<String>,
    /// What is likely behind the error; may be given several times
    #[arg(long, value_name = "TEXT", requires = "error")]
    probable_cause: Vec<String>,
    /// What the user can do about the error; may be given several times
    #[arg(long, value_name = "TEXT", requires = "error")]
    suggested_remediation: Vec<String>,
}

/// What to publish.
#[derive(Debug, PartialEq)]
enum Publication {
    One(Box<NewEvent>),
    Batch(Vec<NewEvent>),
}

/// Publishes and prints what is stored.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let publication = match &args.file {
        Some(file) => read(file)?,
        None => Publication::One(Box::new(args.event.into_new_event()?)),
    };
    let client = args.server.client()?;
    let stored = match publication {
        Publication::One(event) => client.publish(*event).await.map(one_stored),
        Publication::Batch(events) => client.publish_batch(&events).await.map(|receipt| {
            if receipt.repeated {
                output::note("all of these events were already stored");
            }
            receipt.events
        }),
    };
    match stored {
        Ok(events) => print(&events, args.json),
        Err(error) => Ok(refused(&error)),
    }
}

fn one_stored(receipt: Receipt) -> Vec<Event> {
    if receipt.repeated {
        output::note(format_args!("{} was already stored", receipt.event.id));
    }
    vec![receipt.event]
}

fn refused(error: &ClientError) -> ExitCode {
    output::report(error);
    ExitCode::FAILURE
}

fn print(events: &[Event], as_json: bool) -> anyhow::Result<ExitCode> {
    for event in events {
        let printed = if as_json {
            let json = serde_json::to_string(event).context("could not write the event")?;
            output::print_line(output::escaped_json(&json))
        } else {
            output::print_line(event.id)
        };
        if printed.context("could not write to standard output")? == Printed::ReaderGone {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Publication> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("could not read standard input")?;
        text
    } else {
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?
    };
    parse(&text).with_context(|| format!("{} holds neither an event nor an array", file.display()))
}

fn parse(text: &str) -> serde_json::Result<Publication> {
    // Told apart by the first character, so that an error names the place in the right one.
    if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map(Publication::Batch)
    } else {
        serde_json::from_str(text).map(Publication::One)
    }
}

fn parse_metadata(text: &str) -> serde_json::Result<Metadata> {
    serde_json::from_str(text)
}

impl EventArgs {
    fn into_new_event(self) -> anyhow::Result<NewEvent> {
        fn given<T: std::str::FromStr>(text: Option<String>) -> Given<T> {
            text.map_or(Given::Absent, Given::parse)
        }
        let mut metadata = self.metadata;
        let mut add = |key: &str, value: Value| {
            let replaced = metadata.get_or_insert_default().insert(key.into(), value);
            anyhow::ensure!(replaced.is_none(), "--{key} is also in --metadata");
            Ok(())
        };
        if !self.error.is_empty() {
            let cause = json!({
                "ShortDescription": self.error,
                "ProbableCause": self.probable_cause,
                "SuggestedRemediation": self.suggested_remediation,
            });
            add("error", cause)?;
        }
        if let Some(doc) = self.doc {
            add("doc", doc.into())?;
        }
        Ok(NewEvent {
            id: given(self.id),
            owner: given(self.owner),
            system_id: Given::Absent,
            operation_id: given(self.operation_id),
            acted_upon: given(self.acted_upon),
            category: given(self.category),
            action: given(self.action),
            severity: given(self.severity),
            description: self.description,
            metadata,
            created_at: Given::Absent,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use clap::error::ErrorKind;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn args(flags: &[&str]) -> Result<Args, clap::Error> {
        let flags = [&["publish"], flags].concat();
        Cli::try_parse_from(flags).map(|cli| cli.args)
    }

    fn json_of(flags: &[&str]) -> Value {
        let event = args(flags).unwrap().event.into_new_event().unwrap();
        serde_json::to_value(event).unwrap()
    }

    #[test]
    fn flags_make_one_event() {
        let event = json_of(&[
            "--acted-upon=7b1d2c3e-0000-4000-8000-000000000001",
            "--category=connection",
            "--action=ping",
            "--severity=error",
            "--description=no answer",
            "--metadata={\"node\":\"a\"}",
            "--owner=system",
            "--doc=https://example.org",
            "--error=refused",
            "--probable-cause=stopped",
            "--suggested-remediation=start it",
            "--suggested-remediation=ping again",
        ]);
        assert_eq!(
            event,
            json!({
                "actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
                "category": "connection",
                "action": "ping",
                "severity": "error",
                "description": "no answer",
                "owner": "system",
                "metadata": {
                    "node": "a",
                    "doc": "https://example.org",
                    "error": {
                        "ShortDescription": ["refused"],
                        "ProbableCause": ["stopped"],
                        "SuggestedRemediation": ["start it", "ping again"],
                    },
                },
            })
        );
    }

    #[test]
    fn malformed_texts_are_left_to_the_server() {
        let event = json_of(&["--acted-upon=x", "--severity=info"]);
        assert_eq!(event["actedUpon"], "x");
        assert_eq!(event["severity"], "info");
    }

    #[test]
    fn the_resource_is_required_unless_a_file_is_given() {
        let error = args(&["--category=connection"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
        assert!(error.to_string().contains("--acted-upon <UUID>"));
        assert!(args(&["--file=-"]).is_ok());
        for flag in ["--acted-upon=x", "--error=x", "--metadata={}"] {
            let error = args(&["--file=-", flag]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{flag}");
        }
    }

    #[test]
    fn metadata_is_an_object_that_says_nothing_twice() {
        for metadata in ["x", "[]", "1"] {
            let error = args(&["--acted-upon=x", "--metadata", metadata]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{metadata}");
        }
        let twice = args(&["--acted-upon=x", "--metadata={\"doc\":\"a\"}", "--doc=b"]).unwrap();
        let error = twice.event.into_new_event().unwrap_err();
        assert_eq!(error.to_string(), "--doc is also in --metadata");
    }

    #[test]
    fn a_file_holds_one_event_or_an_array() {
        let one = NewEvent {
            description: Some("a".into()),
            ..NewEvent::default()
        };
        let json = " {\"description\": \"a\"} ";
        assert_eq!(
            parse(json).unwrap(),
            Publication::One(Box::new(one.clone()))
        );
        let both = format!("\n[{json},{json}]");
        assert_eq!(
            parse(&both).unwrap(),
            Publication::Batch(vec![one.clone(), one])
        );
        assert!(parse("").is_err());
        assert!(parse("[1]").is_err());
    }
}
