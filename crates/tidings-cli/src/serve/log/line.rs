//! One line of the log, as text or as JSON. No value can end a line, begin a forged one, or move the
//! cursor of the terminal that shows it: control characters and marks of direction are escaped.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use anstyle::AnsiColor;
use tidings::Timestamp;
use tracing::Level;
use tracing::field::{Field, Visit};

use super::LogFormat;
use crate::color::FAINT;
use crate::output::{escaped, escaped_json};

/// The longest value in bytes; the rest of a longer one is left out, so that one line never takes a large
/// part of the queue.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// The keys that a line of JSON has of its own; a field of this name gets another.
const RESERVED: [&str; 5] = ["timestamp", "level", "message", "target", "spans"];

/// The same within a span.
const RESERVED_IN_SPAN: [&str; 1] = ["name"];

/// The form of the lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    format: LogFormat,
    colored: bool,
}

impl Style {
    /// Text with colour or without; JSON has none.
    pub(super) const fn new(format: LogFormat, colored: bool) -> Self {
        Self { format, colored }
    }

    /// Without colour.
    #[cfg(test)]
    pub(super) const fn plain(format: LogFormat) -> Self {
        Self::new(format, false)
    }

    /// Room for what an event says.
    pub(super) const fn event_fields(self) -> Fields {
        self.fields(&RESERVED)
    }

    /// Room for what a span says.
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

    /// A whole line with its line feed. The spans are those around it, the outermost first, each with
    /// its name and its fields.
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

    /// The line that says why the server ends.
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
    // Only a span changes it.
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

/// What an event or a span says, fit to be a part of a line.
#[derive(Debug)]
pub(super) struct Fields {
    format: LogFormat,
    reserved: &'static [&'static str],
    /// As text; in JSON not yet escaped.
    message: String,
    /// Each with what parts it from the one before.
    others: String,
}

impl Fields {
    /// The fields but for the message.
    pub(super) fn into_others(self) -> String {
        self.others
    }

    /// The sentence of the line.
    pub(super) fn message(&mut self, text: &str) {
        let text = cut(text);
        self.message = match self.format {
            LogFormat::Text => escaped(&text).into_owned(),
            LogFormat::Json => text.into_owned(),
        };
    }

    /// A number, which is one in JSON too.
    fn number(&mut self, name: &str, number: impl fmt::Display) {
        if name.starts_with("log.") {
            return;
        }
        self.key(name);
        let written = write!(self.others, "{number}");
        written.expect("a string takes everything");
    }

    fn key(&mut self, name: &str) {
        // An identifier in Rust: `r#type` is `type`.
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
            // Where a record of the `log` crate comes from is in the line already.
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
            // JSON has no such number.
            self.text(field, &value.to_string(), false);
        }
    }
}

/// The beginning of a text that is too long, with how much is missing.
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::layer::LineLayer;
    use super::*;

    const HOSTILE: &str = "a\n2026 forged\r\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{2066}\u{2028}\"\\ é😀";

    /// The lines that `work` logs.
    fn logged(format: LogFormat, work: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let layer = LineLayer::new(Style::plain(format), {
            let lines = Arc::clone(&lines);
            move |line: String| lines.lock().unwrap().push(line)
        });
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, work);
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    fn log_all() {
        let span = tracing::info_span!(
            "request",
            id = HOSTILE,
            name = "n",
            late = tracing::field::Empty
        );
        let _entered = span.enter();
        span.record("late", 7);
        let inner = tracing::info_span!("step");
        let _inner = inner.enter();
        tracing::info!(
            latency_us = 12_u64,
            wide = u128::MAX,
            signed = -3,
            share = 0.5,
            none = f64::NAN,
            done = true,
            text = HOSTILE,
            shown = %HOSTILE,
            debugged = ?HOSTILE,
            level = "mine",
            "said {HOSTILE}"
        );
        tracing::warn!(target: "else\u{1b}where", message = %HOSTILE);
    }

    #[test]
    fn a_json_line_is_one_object_without_repeated_keys_and_its_numbers_are_numbers() {
        let lines = logged(LogFormat::Json, log_all);
        assert_eq!(lines.len(), 2);
        for line in &lines {
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(escaped(line.trim_end()), line.trim_end());
            // What is read and written again has the same length if no key was there twice.
            assert_eq!(
                value.as_object().unwrap().len(),
                top_level_keys(line),
                "{line}"
            );
        }
        let value: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(value["latency_us"], json!(12));
        assert_eq!(value["signed"], json!(-3));
        assert_eq!(
            (&value["share"], &value["done"]),
            (&json!(0.5), &json!(true))
        );
        assert_eq!(value["none"], json!("NaN"));
        assert!(lines[0].contains(&format!("\"wide\":{}", u128::MAX)));
        assert_eq!(
            (&value["text"], &value["shown"]),
            (&json!(HOSTILE), &json!(HOSTILE))
        );
        assert_eq!(value["level"], "INFO");
        assert_eq!(value["field.level"], "mine");
        assert_eq!(value["message"], format!("said {HOSTILE}"));
        assert!(value["timestamp"].as_str().unwrap().ends_with('Z'));
        let spans = json!([
            {"name": "request", "id": HOSTILE, "field.name": "n", "late": 7},
            {"name": "step"}
        ]);
        assert_eq!(value["spans"], spans);
        assert_eq!(lines[0].matches("\"id\"").count(), 1, "a span stands once");
        let value: Value = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(value["target"], "else\u{1b}where");
    }

    /// How many keys the outermost object has, repeated ones counted each time.
    fn top_level_keys(line: &str) -> usize {
        use serde::de::{IgnoredAny, MapAccess, Visitor};
        struct Count;
        impl<'de> Visitor<'de> for Count {
            type Value = usize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<usize, M::Error> {
                let mut keys = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    keys += 1;
                }
                Ok(keys)
            }
        }
        let mut json = serde_json::Deserializer::from_str(line);
        serde::de::Deserializer::deserialize_map(&mut json, Count).unwrap()
    }

    #[test]
    fn a_text_line_is_one_line_that_moves_no_cursor() {
        let lines = logged(LogFormat::Text, log_all);
        assert_eq!(lines.len(), 2);
        for line in &lines {
            assert!(line.ends_with('\n'));
            let line = line.trim_end();
            assert_eq!(escaped(line), line);
        }
        assert!(lines[0].contains("  INFO request{id="), "{}", lines[0]);
        assert!(
            lines[0].contains("late=7}: step: tidings::"),
            "{}",
            lines[0]
        );
        assert!(lines[0].contains(" latency_us=12 "), "{}", lines[0]);
    }

    #[test]
    fn a_value_beyond_the_limit_is_cut() {
        let long = "é".repeat(MAX_VALUE_BYTES);
        let lines = logged(LogFormat::Json, || tracing::info!(long, "cut"));
        let value: Value = serde_json::from_str(&lines[0]).unwrap();
        let rest = format!("… ({MAX_VALUE_BYTES} bytes more)");
        assert!(value["long"].as_str().unwrap().ends_with(&rest));
        assert!(lines[0].len() < 2 * MAX_VALUE_BYTES);
    }

    #[test]
    fn lost_lines_are_reported_in_the_form_of_the_log() {
        let line = Style::plain(LogFormat::Json).dropped_lines(3);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&value["level"], &value["lines"]),
            (&json!("WARN"), &json!(3))
        );
        let message = value["message"].as_str().unwrap();
        assert!(message.starts_with("3 log lines were dropped"), "{message}");
    }
}
