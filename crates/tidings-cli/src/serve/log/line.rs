//! Formats one line of the log, as text or as JSON. Control characters and marks that change the text
//! direction are escaped, so no value can end a line, forge one, or move the terminal's cursor.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use anstyle::AnsiColor;
use tidings::Timestamp;
use tracing::Level;
use tracing::field::{Field, Visit};

use super::LogFormat;
use crate::color::FAINT;
use crate::output::{escaped, escaped_json};

/// The longest value in bytes. A longer value is cut, so that one line never fills a large part of the
/// queue.
const MAX_VALUE_BYTES: usize = 16 * 1024;

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
        Fields {
            format: self.format,
            reserved,
            message: String::new(),
            others: String::new(),
        }
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

/// The message and fields of an event or a span, escaped for the line.
#[derive(Debug)]
pub(super) struct Fields {
    format: LogFormat,
    reserved: &'static [&'static str],
    /// The message. In JSON it is escaped later.
    message: String,
    /// The other fields, each with its separator before it.
    others: String,
}

impl Fields {
    /// The fields without the message.
    pub(super) fn into_others(self) -> String {
        self.others
    }

    /// Sets the message.
    pub(super) fn message(&mut self, text: &str) {
        let text = cut(text);
        self.message = match self.format {
            LogFormat::Text => escaped(&text).into_owned(),
            LogFormat::Json => text.into_owned(),
        };
    }

    /// Adds a number, which stays a number in JSON.
    fn number(&mut self, name: &str, number: impl fmt::Display) {
        if name.starts_with("log.") {
            return;
        }
        self.key(name);
        let written = write!(self.others, "{number}");
        written.expect("a string takes everything");
    }

    fn key(&mut self, name: &str) {
        // Removes the prefix of a raw identifier such as `r#type`.
        let name = name.strip_prefix("r#").unwrap_or(name);
        let prefix = if self.reserved.contains(&name) {
            "field."
        } else {
            ""
        };
        let written = match self.format {
            LogFormat::Text => write!(self.others, " {}=", escaped(name)),
            LogFormat::Json => write!(self.others, ",{}:", json_text(&format!("{prefix}{name}"))),
        };
        written.expect("a string takes everything");
    }

    fn text(&mut self, field: &Field, text: &str, is_quoted: bool) {
        match field.name() {
            "message" => return self.message(text),
            // The line already has the target of a `log` record.
            name if name.starts_with("log.") => return,
            _ => {}
        }
        self.key(field.name());
        let text = cut(text);
        match self.format {
            LogFormat::Text if is_quoted => self.others += &escaped(&format!("{text:?}")),
            LogFormat::Text => self.others += &escaped(&text),
            LogFormat::Json => self.others += &json_text(&text),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"), false);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value, true);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.number(field.name(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.number(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.number(field.name(), value);
        } else {
            // JSON has no NaN and no infinity.
            self.text(field, &value.to_string(), false);
        }
    }
}

/// Cuts a text that is too long, and appends the number of missing bytes.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_VALUE_BYTES {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(MAX_VALUE_BYTES);
    Cow::Owned(format!(
        "{}… ({} bytes more)",
        &text[..end],
        text.len() - end
    ))
}

fn json_text(text: &str) -> String {
    let json = serde_json::to_string(text).expect("a text is JSON");
    match escaped_json(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(safe) => safe,
    }
}
