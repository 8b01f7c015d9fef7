//! Formats one line of the log, as text or as JSON. Control characters and marks that change the text
//! direction are escaped, so no value can end a line, forge one, or move the terminal's cursor.

mod fields;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use anstyle::AnsiColor;
use tidings::Timestamp;
use tracing::Level;

use super::LogFormat;
use crate::color::FAINT;
use crate::output::escaped;
use fields::json_text;

pub(super) use fields::Fields;

/// Keys that a JSON line has by itself. A field of such a name is renamed.
const RESERVED: [&str; 5] = ["timestamp", "level", "message", "target", "spans"];

/// Reserved keys within a span.
const RESERVED_IN_SPAN: [&str; 1] = ["name"];

/// The format of the lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    format: LogFormat,
    colored: bool,
}

impl Style {
    /// Creates a style. Only text can be colored.
    pub(super) const fn new(format: LogFormat, colored: bool) -> Self {
        Self { format, colored }
    }

    /// Creates a style without color.
    #[cfg(test)]
    pub(super) const fn plain(format: LogFormat) -> Self {
        Self::new(format, false)
    }

    /// Creates an empty set of fields for an event.
    pub(super) const fn event_fields(self) -> Fields {
        self.fields(&RESERVED)
    }

    /// Creates an empty set of fields for a span.
    pub(super) const fn span_fields(self) -> Fields {
        self.fields(&RESERVED_IN_SPAN)
    }

    const fn fields(self, reserved: &'static [&'static str]) -> Fields {
        Fields::new(self.format, reserved)
    }

    /// Formats a whole line with its line feed. `spans` are the enclosing spans, outermost first, each
    /// with its name and fields.
    pub(super) fn line<'a>(
        self,
        level: Level,
        target: &str,
        fields: &Fields,
        spans: impl Iterator<Item = (&'static str, &'a str)>,
    ) -> String {
        let now = Timestamp::now();
        let mut line = String::with_capacity(256);
        let written = match self.format {
            LogFormat::Text => self.write_text(&mut line, now, level, target, fields, spans),
            LogFormat::Json => write_json(&mut line, now, level, target, fields, spans),
        };
        written.expect("a string takes everything");
        line
    }

    /// The line that reports lost lines.
    pub(super) fn dropped_lines(self, number: u64) -> String {
        let lines = if number == 1 {
            "line was"
        } else {
            "lines were"
        };
        let mut fields = self.event_fields();
        fields.message(&format!(
            "{number} log {lines} dropped: standard error did not take them in time"
        ));
        fields.number("lines", number);
        self.line(Level::WARN, module_path!(), &fields, std::iter::empty())
    }

    /// The line that reports the error that ends the server.
    pub(super) fn fatal(self, cause: &str) -> String {
        let mut fields = self.event_fields();
        fields.message(cause);
        self.line(Level::ERROR, module_path!(), &fields, std::iter::empty())
    }

    fn write_text<'a>(
        self,
        line: &mut String,
        now: Timestamp,
        level: Level,
        target: &str,
        fields: &Fields,
        spans: impl Iterator<Item = (&'static str, &'a str)>,
    ) -> fmt::Result {
        let (color, faint) = if self.colored {
            (color_of(level).on_default(), FAINT)
        } else {
            (anstyle::Style::new(), anstyle::Style::new())
        };
        write!(line, "{faint}{now:.6}{faint:#} {color}{level:>5}{color:#} ")?;
        for (name, fields) in spans {
            match fields.strip_prefix(' ') {
                Some(fields) => write!(line, "{name}{{{fields}}}:")?,
                None => write!(line, "{name}:")?,
            }
            line.push(' ');
        }
        let target = escaped(target);
        write!(line, "{faint}{target}:{faint:#}")?;
        if !fields.message.is_empty() {
            write!(line, " {}", fields.message)?;
        }
        writeln!(line, "{}", fields.others)
    }
}

fn write_json<'a>(
    line: &mut String,
    now: Timestamp,
    level: Level,
    target: &str,
    fields: &Fields,
    spans: impl Iterator<Item = (&'static str, &'a str)>,
) -> fmt::Result {
    write!(line, r#"{{"timestamp":"{now:.6}","level":"{level}""#)?;
    if !fields.message.is_empty() {
        write!(line, r#","message":{}"#, json_text(&fields.message))?;
    }
    write!(line, r#"{},"target":{}"#, fields.others, json_text(target))?;
    let mut opening = r#","spans":["#;
    for (name, fields) in spans {
        write!(line, r#"{opening}{{"name":{}{fields}}}"#, json_text(name))?;
        opening = ",";
    }
    // Without spans `opening` is unchanged.
    if opening == "," {
        line.push(']');
    }
    line.push_str("}\n");
    Ok(())
}

const fn color_of(level: Level) -> AnsiColor {
    match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    }
}
