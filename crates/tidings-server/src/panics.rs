//! The message of a panic, for the log. Clients never see it.

use std::any::Any;

/// The message of a panic.
pub(crate) fn message(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast::<String>() {
        Ok(text) => Some(*text),
        Err(panic) => panic.downcast_ref::<&str>().map(|text| (*text).to_owned()),
    };
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
