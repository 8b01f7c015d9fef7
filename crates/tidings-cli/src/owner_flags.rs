//! The flags that say whose event it is.

use clap::error::ErrorKind;
use tidings_event::{EventRef, Given, NewRetraction, OwnerKind, OwnerName};

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

/// The owner of events that are published already.
#[derive(Debug, clap::Args)]
pub(crate) struct OwnerArgs {
    /// User that has the event, or `system` for every user [default: the caller]
    #[arg(long, value_name = "UUID|system", value_parser = not_blank)]
    owner: Option<String>,
    /// The event is one that every user sees; short for --owner system
    #[arg(long, conflicts_with = "owner")]
    system: bool,
    /// The user by their tokens' subject (`sub`), instead of --owner
    #[arg(long, value_name = "TEXT", value_parser = not_blank, conflicts_with_all = ["owner", "system"])]
    subject: Option<String>,
    /// All users to whom the event was published together
    #[arg(long, conflicts_with_all = ["owner", "system", "subject"])]
    pub(crate) all_owners: bool,
    /// Issuer (`iss`) of --subject [default: the issuer that the server accepts]
    #[arg(long, value_name = "TEXT", value_parser = not_blank, requires = "subject")]
    issuer: Option<String>,
}

impl OwnerArgs {
    /// The owner of an event, unchecked: the server reports every fault at once. As in lists, `system:ID` is an event
    /// that every user sees.
    ///
    /// # Errors
    ///
    /// A usage error if the flags name another owner than the event.
    pub(crate) fn of(&self, event: EventRef) -> Result<NewRetraction, clap::Error> {
        let is_system = event.owner_kind == Some(OwnerKind::System);
        let owner = self.owner.as_deref();
        if is_system && (owner.is_some_and(|owner| owner != "system") || self.subject.is_some()) {
            let fault = format!(
                "{event} is an event that every user sees; leave out --owner and --subject, or `system:`\n"
            );
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
        }
        let text = |text: &Option<String>| text.clone().map_or(Given::Absent, Given::Value);
        let mut named = NewRetraction::default();
        named.owner = match owner {
            _ if is_system || self.system => OwnerName::System.into(),
            Some(owner) => Given::parse(owner),
            None => Given::Absent,
        };
        named.subject = text(&self.subject);
        named.issuer = text(&self.issuer);
        Ok(named)
    }
}
