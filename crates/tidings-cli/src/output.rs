//! Prints lines for people and programs. Text from a server is escaped before it reaches the terminal.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use tidings_client::ClientError;

/// The result of printing a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    /// The line was written.
    Yes,
    /// The reader of standard output has closed it, as `head` does.
    ReaderGone,
}

/// Writes a line to standard output and flushes it, so that the reader of a pipe receives it at once.
/// The caller must escape the line.
pub(crate) fn print_line(line: impl Display) -> io::Result<Printed> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Printed::Yes),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Printed::ReaderGone),
        Err(error) => Err(error),
    }
}

/// The width of standard output in columns, if it is a terminal.
pub(crate) fn terminal_width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    // Some terminals report a width of 0.
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Escapes a line and writes it to standard error.
pub(crate) fn note(line: impl Display) {
    // A failure to write to standard error cannot be reported anywhere.
    let _ = writeln!(io::stderr().lock(), "{}", escaped(&line.to_string()));
}

/// Reports a failed request on standard error: the server's error with one violation per line, or the
/// client's error with all its sources.
pub(crate) fn report(error: &ClientError) {
    note(format_args!("error: {}", chain(error)));
    let Some(body) = error.rejection() else {
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

/// The error and its sources, outermost first.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text += &format!(": {inner}");
        source = inner.source();
    }
    text
}

/// Escapes `text` for printing on one line: characters that move the cursor, change colors or change
/// the text direction become escape sequences.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, |unsafe_char| unsafe_char.escape_default().to_string())
}

/// Escapes JSON in the same way. Its meaning stays the same, because such characters occur only within
/// strings.
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

/// Control characters, line separators and marks that change the text direction. All are in the basic
/// multilingual plane, so four hexadecimal digits are enough.
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
    fn escapes_terminal_control_characters() {
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
    fn escaped_json_keeps_its_meaning() {
        let value = serde_json::json!({"a\u{9b}": "\x1b\u{7f}\u{85}\u{202e}\n é😀"});
        let json = value.to_string();
        let safe = escaped_json(&json);
        assert!(!safe.contains(is_unsafe), "{safe}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read, value);
    }
}
