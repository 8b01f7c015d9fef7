//! The flags that say whose event it is.

use clap::error::ErrorKind;
use tidings_event::{EventRef, OwnerKind};

/// Parses a name of an owner. A variable without a value must not name the caller instead.
pub(crate) fn not_blank(text: &str) -> Result<String, &'static str> {
    let is_blank = text
        .chars()
        .all(|char| char.is_whitespace() || matches!(char, '"' | '\''));
    match is_blank {
        true => Err("it is blank; give a value, or leave the flag out"),
        false => Ok(text.to_owned()),
    }
}

/// Whether an event is named as one of the system, as lists print it.
///
/// # Errors
///
/// A usage error if the flags name another owner.
pub(crate) fn is_of_system(
    event: EventRef,
    owner: Option<&str>,
    subject: Option<&str>,
) -> Result<bool, clap::Error> {
    if event.owner_kind != Some(OwnerKind::System) {
        return Ok(false);
    }
    if owner.is_some_and(|owner| owner != "system") || subject.is_some() {
        let fault = format!(
            "{event} is an event that every user sees; leave out --owner and --subject, or `system:`\n"
        );
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
    }
    Ok(true)
}
