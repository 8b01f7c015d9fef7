//! The flags that describe one event.

use std::time::Duration;

use clap::error::ErrorKind;
use serde_json::{Value, json};
use tidings_event::{Given, Metadata, NewEvent, OwnerName, Recipients, Timestamp};

use super::metadata::MetadataEntry;
use crate::age::Age;
use crate::owner_flags::not_blank;

/// One event. Values go to the server unchecked, since the server reports every fault at once.
#[derive(Debug, Default, clap::Args)]
#[group(id = "event", multiple = true, conflicts_with_all = ["file", "stdin"])]
#[command(next_help_heading = "Event")]
pub(crate) struct EventArgs {
    /// Resource that the event is about; required unless --file or --stdin is given
    #[arg(long, value_name = "UUID", required_unless_present_any = ["file", "stdin"])]
    pub(crate) acted_upon: Option<String>,
    /// Area of the event, in `snake_case`, such as `connection`
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// Action that was taken, in `snake_case`, such as `register`
    #[arg(long, value_name = "NAME")]
    pub(crate) action: Option<String>,
    /// Severity: emergency, alert, critical, error, warning, success, informational or debug [default with
    /// --error: error]
    #[arg(long, value_name = "NAME")]
    pub(crate) severity: Option<String>,
    /// Description of the event, for the user
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Additional data: key=text, or key:=json for a number, list or object (repeatable)
    #[arg(long, value_name = "KEY=TEXT|KEY:=JSON")]
    pub(crate) metadata: Vec<MetadataEntry>,
    /// Progress in percent, shown as a bar; short for --metadata progress:=N
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) progress: Option<u8>,
    /// Link to documentation
    #[arg(long, value_name = "URL")]
    pub(crate) doc: Option<String>,
    /// Short description of an error, one line (repeatable)
    #[arg(long, value_name = "SHORT")]
    pub(crate) error: Vec<String>,
    /// Code that identifies the error
    #[arg(long, value_name = "CODE", requires = "error")]
    pub(crate) error_code: Option<String>,
    /// Details of the error (repeatable)
    #[arg(long, value_name = "TEXT", requires = "error")]
    pub(crate) long_description: Vec<String>,
    /// Probable cause of the error (repeatable)
    #[arg(long, value_name = "TEXT", requires = "error")]
    pub(crate) probable_cause: Vec<String>,
    /// Suggested fix for the error (repeatable)
    #[arg(long, value_name = "TEXT", requires = "error")]
    pub(crate) suggested_remediation: Vec<String>,
    /// User that receives the event, or `system` for every user (repeatable for users, at most 1,000) [default: the
    /// caller]
    #[arg(long, value_name = "UUID|system", value_parser = not_blank)]
    pub(crate) owner: Vec<String>,
    /// Show the event to every user; short for --owner system
    #[arg(long, conflicts_with = "owner")]
    pub(crate) system: bool,
    /// Receiving user by their tokens' subject (`sub`), instead of --owner
    #[arg(long, value_name = "TEXT", value_parser = not_blank, conflicts_with_all = ["owner", "system"])]
    pub(crate) subject: Option<String>,
    /// Issuer (`iss`) of --subject [default: the issuer that the server accepts]
    #[arg(long, value_name = "TEXT", value_parser = not_blank, requires = "subject")]
    pub(crate) issuer: Option<String>,
    /// Installation that sends the event [default: the server]
    #[arg(long, value_name = "UUID")]
    pub(crate) system_id: Option<String>,
    /// Operation that the event belongs to [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub(crate) operation_id: Option<String>,
    /// Event id, so that sending the event again stores nothing twice [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<String>,
    /// Time of the event, as RFC 3339 [default: now, by the server's clock]
    #[arg(long, value_name = "TIME")]
    pub(crate) created_at: Option<String>,
    /// Time at which the event is deleted by itself, as RFC 3339 [default: never]
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
    /// Lifetime of the event from now, such as `2h`, instead of --expires-at
    #[arg(long, value_name = "DURATION", conflicts_with = "expires_at")]
    pub(crate) expires_in: Option<Age>,
}

impl EventArgs {
    /// Removes and returns the owners of an event for several.
    ///
    /// # Errors
    ///
    /// A usage error if one of them is not the UUID of a user, or they are too many.
    pub(crate) fn take_recipients(&mut self) -> Result<Option<Recipients>, clap::Error> {
        if self.owner.len() < 2 {
            return Ok(None);
        }
        let fault = |fault: String| clap::Error::raw(ErrorKind::ValueValidation, fault);
        let mut owners = Vec::with_capacity(self.owner.len());
        for name in std::mem::take(&mut self.owner) {
            match Given::parse(&name) {
                Given::Value(OwnerName::User(owner)) => owners.push(owner),
                _ => {
                    return Err(fault(format!(
                        "--owner {name} is not the UUID of a user; several owners must all be users\n"
                    )));
                }
            }
        }
        let recipients = Recipients::new(owners);
        recipients
            .map(Some)
            .map_err(|violations| fault(format!("--owner: {violations}\n")))
    }

    /// The event, unchecked.
    ///
    /// # Errors
    ///
    /// A usage error if a key of the metadata is given twice.
    pub(crate) fn into_new_event(self) -> Result<NewEvent, clap::Error> {
        fn given<T: std::str::FromStr>(text: Option<&str>) -> Given<T> {
            text.map_or(Given::Absent, Given::parse)
        }
        let mut metadata = None;
        for MetadataEntry { key, value } in self.metadata {
            let twice = format!("--metadata gives {key} twice\n");
            add(&mut metadata, &key, value, &twice)?;
        }
        let has_error = !self.error.is_empty();
        if has_error {
            let cause = json!({
                "Code": self.error_code.unwrap_or_default(),
                "ShortDescription": self.error,
                "LongDescription": self.long_description,
                "ProbableCause": self.probable_cause,
                "SuggestedRemediation": self.suggested_remediation,
            });
            let twice = "--error is also in --metadata\n";
            add(&mut metadata, "error", cause, twice)?;
        }
        if let Some(doc) = self.doc {
            add(
                &mut metadata,
                "doc",
                doc.into(),
                "--doc is also in --metadata\n",
            )?;
        }
        if let Some(percent) = self.progress {
            let twice = "--progress is also in --metadata\n";
            add(&mut metadata, "progress", percent.into(), twice)?;
        }
        let severity = self
            .severity
            .or_else(|| has_error.then(|| "error".to_owned()));
        let owner = self
            .owner
            .into_iter()
            .next()
            .or_else(|| self.system.then(|| "system".to_owned()));
        let mut event = NewEvent::default();
        event.id = given(self.id.as_deref());
        event.owner = given(owner.as_deref());
        event.subject = given(self.subject.as_deref());
        event.issuer = given(self.issuer.as_deref());
        event.system_id = given(self.system_id.as_deref());
        event.operation_id = given(self.operation_id.as_deref());
        event.acted_upon = given(self.acted_upon.as_deref());
        event.category = given(self.category.as_deref());
        event.action = given(self.action.as_deref());
        event.severity = given(severity.as_deref());
        event.description = self.description;
        event.metadata = metadata;
        event.created_at = given(self.created_at.as_deref());
        event.expires_at = match self.expires_in {
            Some(Age(lifetime)) => expiry(Timestamp::now(), lifetime)?.into(),
            None => given(self.expires_at.as_deref()),
        };
        Ok(event)
    }
}

/// The end of a lifetime that begins now.
fn expiry(now: Timestamp, lifetime: Duration) -> Result<Timestamp, clap::Error> {
    now.checked_add(lifetime).map_err(|_| {
        let fault = "--expires-in goes beyond the last year; leave it out to keep the event\n";
        clap::Error::raw(ErrorKind::ValueValidation, fault)
    })
}

fn add(
    metadata: &mut Option<Metadata>,
    key: &str,
    value: Value,
    twice: &str,
) -> Result<(), clap::Error> {
    match metadata
        .get_or_insert_default()
        .insert(key.to_owned(), value)
    {
        None => Ok(()),
        Some(_) => Err(clap::Error::raw(ErrorKind::ArgumentConflict, twice)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::Args;
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn args(flags: &[&str]) -> Result<Args, clap::Error> {
        Cli::try_parse_from([&["publish"], flags].concat()).map(|cli| cli.args)
    }

    fn json_of(flags: &[&str]) -> Value {
        let event = args(flags).unwrap().event.into_new_event().unwrap();
        serde_json::to_value(event).unwrap()
    }

    const RESOURCE: &str = "--acted-upon=7b1d2c3e-0000-4000-8000-000000000001";

    #[test]
    fn builds_an_event_from_flags() {
        let event = json_of(&[
            RESOURCE,
            "--category=connection",
            "--action=ping",
            "--description=no answer",
            "--metadata=node=a",
            "--metadata=tries:=3",
            "--progress=30",
            "--owner=7b1d2c3e-0000-4000-8000-000000000002",
            "--system-id=7b1d2c3e-0000-4000-8000-000000000003",
            "--operation-id=7b1d2c3e-0000-4000-8000-000000000004",
            "--id=7b1d2c3e-0000-4000-8000-000000000005",
            "--created-at=2026-08-01T12:00:00+02:00",
            "--doc=https://example.org",
            "--error=refused",
            "--error-code=k-1",
            "--long-description=by the API server",
            "--probable-cause=stopped",
            "--suggested-remediation=start it",
            "--suggested-remediation=ping again",
        ]);
        assert_eq!(
            event,
            json!({
                "id": "7b1d2c3e-0000-4000-8000-000000000005",
                "owner": "7b1d2c3e-0000-4000-8000-000000000002",
                "systemId": "7b1d2c3e-0000-4000-8000-000000000003",
                "operationId": "7b1d2c3e-0000-4000-8000-000000000004",
                "actedUpon": "7b1d2c3e-0000-4000-8000-000000000001",
                "category": "connection",
                "action": "ping",
                "severity": "error",
                "description": "no answer",
                "createdAt": "2026-08-01T10:00:00Z",
                "metadata": {
                    "node": "a",
                    "tries": 3,
                    "progress": 30,
                    "doc": "https://example.org",
                    "error": {
                        "Code": "k-1",
                        "ShortDescription": ["refused"],
                        "LongDescription": ["by the API server"],
                        "ProbableCause": ["stopped"],
                        "SuggestedRemediation": ["start it", "ping again"],
                    },
                },
            })
        );
    }

    #[test]
    fn system_sets_the_owner_and_severity_overrides_the_default() {
        let event = json_of(&[RESOURCE, "--system", "--error=x", "--severity=warning"]);
        assert_eq!(event["owner"], "system");
        assert_eq!(event["severity"], "warning");
        let error = args(&[RESOURCE, "--system", "--owner=system"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn leaves_malformed_texts_to_the_server() {
        let event = json_of(&["--acted-upon=x", "--severity=info", "--created-at=now"]);
        assert_eq!(event["actedUpon"], "x");
        assert_eq!(event["severity"], "info");
        assert_eq!(event["createdAt"], "now");
    }

    #[test]
    fn requires_the_resource_without_file_and_stdin() {
        let error = args(&["--category=connection"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
        assert!(error.to_string().contains("--acted-upon <UUID>"));
        for source in ["--file=-", "--stdin"] {
            assert!(args(&[source]).is_ok());
            for flag in ["--acted-upon=x", "--error=x", "--metadata=a=b", "--system"] {
                let error = args(&[source, flag]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{flag}");
            }
        }
        let both = args(&["--file=-", "--stdin"]).unwrap_err();
        assert_eq!(both.kind(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn rejects_a_repeated_metadata_key() {
        for (flags, fault) in [
            (
                ["--metadata=doc=a", "--doc=b"],
                "--doc is also in --metadata",
            ),
            (
                ["--metadata=error=a", "--error=b"],
                "--error is also in --metadata",
            ),
            (
                ["--metadata=progress=a", "--progress=1"],
                "--progress is also in --metadata",
            ),
            (
                ["--metadata=a=b", "--metadata=a:=1"],
                "--metadata gives a twice",
            ),
        ] {
            let args = args(&[&[RESOURCE], &flags[..]].concat()).unwrap();
            let error = args.event.into_new_event().unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(fault), "{error}");
        }
        let error = args(&[RESOURCE, "--metadata={}"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation);
    }
}
