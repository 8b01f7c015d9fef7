//! `tidings get`: prints one event in full.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use tidings_event::{Event, EventRef, Metadata};

use crate::cause::CauseView;
use crate::color::{self, ColorArgs, Painter};
use crate::output::{self, escaped, escaped_json};
use crate::server_url::ServerUrl;

const DETAILS: &str = "\
Prints the description, the cause and suggested fix of an error, the ids and the metadata. The exit code
is 1 if the event does not exist.

Examples:
  tidings get 01930000-0000-7000-8000-000000000042
  tidings get 01930000-0000-7000-8000-000000000042 --json";

/// Show one event in full
#[derive(Debug, clap::Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Args {
    /// Event id, as `list` and `publish` print it; `system:ID` for an event of the system
    #[arg(value_name = "ID")]
    event: EventRef,
    #[command(flatten)]
    server: ServerUrl,
    /// Print the event as a line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    color: ColorArgs,
}

/// Prints the event, or reports that it does not exist.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.server.client()?;
    let event = match client.get(args.event).await {
        Ok(Some(event)) => event,
        Ok(None) => {
            output::note(format_args!("error: no event {}", args.event));
            output::note("  try: tidings list");
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => {
            output::report(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let text = if args.json {
        let json = serde_json::to_string(&event).context("could not write the event")?;
        escaped_json(&json).into_owned()
    } else {
        view(&event, args.color.painter())
    };
    output::print_line(text).context("could not write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// The event for people, without a line feed at its end.
fn view(event: &Event, painter: Painter) -> String {
    let mut view = View {
        text: String::new(),
        painter,
    };
    let severity = color::of_severity(event.severity);
    view.line(format_args!(
        "{}  {}/{}  {}",
        painter.paint(severity, event.severity),
        event.category,
        event.action,
        event.status
    ));
    view.indented(2, event.description.lines());
    if let Some(cause) = CauseView::of(event) {
        view.cause(cause);
    }
    view.line("");
    if let Some(doc) = doc(event) {
        view.field("docs", escaped(doc));
    }
    view.field("id", event.id);
    view.field("created", event.created_at);
    if event.updated_at != event.created_at {
        view.field("updated", event.updated_at);
    }
    if let Some(expires_at) = event.expires_at {
        view.field("expires", expires_at);
    }
    view.field("acted upon", event.acted_upon);
    view.field("operation", event.operation_id);
    if let Some(owner) = event.owner {
        view.field("owner", owner);
    }
    view.field("system", event.system_id);
    if let Some(json) = rest_of_metadata(event) {
        view.section("metadata");
        view.indented_json(&json);
    }
    view.text.truncate(view.text.trim_end().len());
    view.text
}

struct View {
    text: String,
    painter: Painter,
}

impl View {
    fn cause(&mut self, cause: CauseView<'_>) {
        self.section(match cause.code() {
            Some(code) => format!("error {}", escaped(code)),
            None => "error".to_owned(),
        });
        self.indented(2, cause.short_description());
        self.indented(2, cause.long_description().flat_map(str::lines));
        for (title, mut texts) in [
            (
                "probable cause",
                Box::new(cause.probable_causes()) as Box<dyn Iterator<Item = &str>>,
            ),
            ("try", Box::new(cause.remedies())),
        ] {
            if let Some(first) = texts.next() {
                self.section(title);
                self.indented(2, std::iter::once(first).chain(texts));
            }
        }
    }

    /// `text` must be fit to be printed.
    fn line(&mut self, text: impl std::fmt::Display) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{text}");
    }

    fn section(&mut self, title: impl std::fmt::Display) {
        let title = self.painter.paint(color::STRONG, title);
        self.line(format_args!("\n{title}"));
    }

    fn field(&mut self, name: &str, value: impl std::fmt::Display) {
        let name = self.painter.paint(color::FAINT, format_args!("{name:<10}"));
        self.line(format_args!("{name}  {value}"));
    }

    fn indented<'a>(&mut self, by: usize, texts: impl Iterator<Item = &'a str>) {
        for text in texts {
            self.line(format_args!("{:by$}{}", "", escaped(text)));
        }
    }

    fn indented_json(&mut self, json: &str) {
        // Line feeds are between the values only: inside of strings they are escaped.
        for line in json.lines() {
            self.line(format_args!("  {}", escaped_json(line)));
        }
    }
}

fn doc(event: &Event) -> Option<&str> {
    event.metadata.as_ref()?.get("doc")?.as_str()
}

/// The metadata that is not shown elsewhere.
fn rest_of_metadata(event: &Event) -> Option<String> {
    let mut metadata: Metadata = event.metadata.clone()?;
    if CauseView::of(event).is_some() {
        let known = [
            "Code",
            "Severity",
            "ShortDescription",
            "LongDescription",
            "ProbableCause",
            "SuggestedRemediation",
        ];
        let cause = metadata.get_mut("error").and_then(|e| e.as_object_mut())?;
        cause.retain(|key, _| !known.contains(&key.as_str()));
        if cause.is_empty() {
            metadata.remove("error");
        }
    }
    if doc(event).is_some() {
        metadata.remove("doc");
    }
    if metadata.is_empty() {
        return None;
    }
    serde_json::to_string_pretty(&metadata).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[test]
    fn an_error_is_shown_with_its_cause_and_all_of_its_metadata() {
        let mut event = sample::event(&json!({
            "doc": "https://example.org/ping",
            "node": {"name": "a\u{9b}"},
            "error": {
                "Code": "k-1", "Severity": 1,
                "ShortDescription": ["refused"], "LongDescription": ["one\ntwo"],
                "ProbableCause": ["stopped"], "SuggestedRemediation": ["start it", "ping"],
                "Extra": true,
            },
        }));
        event.description = "no answer\n\u{1b}[2Jfrom it".into();
        let expected = "\
error  connection/ping  unread
  no answer
  \\u{1b}[2Jfrom it

error k-1
  refused
  one
  two

probable cause
  stopped

try
  start it
  ping

docs        https://example.org/ping
id          0c0ffee0-0000-4000-8000-000000000001
created     2026-08-01T10:00:00.123456789Z
acted upon  0c0ffee0-0000-4000-8000-000000000005
operation   0c0ffee0-0000-4000-8000-000000000004
owner       0c0ffee0-0000-4000-8000-000000000002
system      0c0ffee0-0000-4000-8000-000000000003

metadata
  {
    \"error\": {
      \"Extra\": true
    },
    \"node\": {
      \"name\": \"a\\u009b\"
    }
  }";
        assert_eq!(view(&event, Painter::with_color(false)), expected);
    }

    #[test]
    fn a_plain_event_has_no_empty_sections() {
        let mut event = sample::event(&json!(null));
        event.description = String::new();
        let view = view(&event, Painter::with_color(false));
        assert!(!view.contains("metadata"), "{view}");
        assert!(!view.contains("docs"), "{view}");
        assert!(
            view.starts_with("error  connection/ping  unread\n\nid "),
            "{view}"
        );
    }
}
