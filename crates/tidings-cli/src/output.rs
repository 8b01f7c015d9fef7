//! Lines for people and programs: what a server sends may not reach the terminal as it is.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use tidings_client::ClientError;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    /// It is with the reader.
    Yes,
    /// Whoever read standard output has gone, as `head` does.
    ReaderGone,
}

/// Writes a line to standard output and flushes it, so that a reader at the other end of a pipe
/// has it at once. The line must be fit to be printed.
pub(crate) fn print_line(line: impl Display) -> io::Result<Printed> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Printed::Yes),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Printed::ReaderGone),
        Err(error) => Err(error),
    }
}

/// How many columns standard output has, if it is a terminal.
pub(crate) fn terminal_width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    // Some terminals do not know.
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Writes a line to standard error, with whatever it holds made fit to be printed.
pub(crate) fn note(line: impl Display) {
    // There is nowhere left to complain to if this fails.
    let _ = writeln!(io::stderr().lock(), "{}", escaped(&line.to_string()));
}

/// Says on standard error why a request failed: the server's envelope, a violation a line, or the
/// error with all that lies beneath it.
pub(crate) fn report(error: &ClientError) {
    note(format_args!("error: {}", chain(error)));
    let Some(body) = error.refusal() else {
        return;
    };
    for fault in &body.long_description {
        note(format_args!("  {fault}"));
    }
    for cause in &body.probable_cause {
        note(format_args!("  probable cause: {cause}"));
    }
    for remedy in &body.suggested_remediation {
        note(format_args!("  try: {remedy}"));
    }
}

/// The error and its sources, the outermost first.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text += &format!(": {inner}");
        source = inner.source();
    }
    text
}

/// Makes `text` fit to be printed on one line: what would move the cursor, colour the screen or
/// turn the direction of the text is written as an escape.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |unsafe_char| unsafe_char.escape_default().to_string())
}

/// The same for JSON, whose meaning stays: all it holds of that kind is inside strings.
pub(crate) fn escaped_json(json: &str) -> Cow<'_, str> {
    replaced(json, |unsafe_char| {
        format!("\\u{:04x}", u32::from(unsafe_char))
    })
}

fn replaced(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if is_unsafe(char) {
            safe += &escape(char);
        } else {
            safe.push(char);
        }
    }
    Cow::Owned(safe)
}

/// Control characters, line separators, and marks that turn the direction of text. All lie in the
/// basic multilingual plane, so that four hexadecimal digits name each.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, expected) in [
            ("plain, é€😀 \\ \"", "plain, é€😀 \\ \""),
            ("\x1b[31mred\x07", "\\u{1b}[31mred\\u{7}"),
            ("two\r\nlines\t.", "two\\r\\nlines\\t."),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("a\u{202e}b\u{2028}c", "a\\u{202e}b\\u{2028}c"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({"a\u{9b}": "\x1b\u{7f}\u{85}\u{202e}\n é😀"});
        let json = value.to_string();
        let safe = escaped_json(&json);
        assert!(!safe.contains(is_unsafe), "{safe}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read, value);
    }
}
