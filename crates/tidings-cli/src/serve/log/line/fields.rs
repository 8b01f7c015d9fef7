//! The fields of a line, escaped.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};

use crate::output::{chain, escaped, escaped_json};
use crate::serve::log::LogFormat;

/// The longest value in bytes. A longer value is cut, so that one line never fills a large part of the
/// queue.
pub(super) const MAX_VALUE_BYTES: usize = 16 * 1024;

/// The message and fields of an event or a span, escaped for the line.
#[derive(Debug)]
pub(in crate::serve::log) struct Fields {
    format: LogFormat,
    reserved: &'static [&'static str],
    /// The message. In JSON it is escaped later.
    pub(super) message: String,
    /// The other fields, each with its separator before it.
    pub(super) others: String,
}

impl Fields {
    /// No fields yet. A field with a reserved name is renamed in JSON.
    pub(super) const fn new(format: LogFormat, reserved: &'static [&'static str]) -> Self {
        Self {
            format,
            reserved,
            message: String::new(),
            others: String::new(),
        }
    }

    /// The fields without the message.
    pub(in crate::serve::log) fn into_others(self) -> String {
        self.others
    }

    /// Sets the message.
    pub(in crate::serve::log) fn message(&mut self, text: &str) {
        let text = cut(text);
        self.message = match self.format {
            LogFormat::Text => escaped(&text).into_owned(),
            LogFormat::Json => text.into_owned(),
        };
    }

    /// Adds a number, which stays a number in JSON.
    pub(super) fn number(&mut self, name: &str, number: impl fmt::Display) {
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

    /// With its sources: the outermost error alone seldom says what to do.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, &chain(value), false);
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

pub(super) fn json_text(text: &str) -> String {
    let json = serde_json::to_string(text).expect("a text is JSON");
    match escaped_json(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(safe) => safe,
    }
}
