//! Whose event a publisher sends: the named owner, the user with the named subject, or the caller.

use tidings_event::{Given, NewEvent, OwnerName, SystemId, Violations};

use super::EventParser;
use super::unfit::Unfit;
use crate::identity::Identity;

/// The users whose subjects a publisher can name instead of owners.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subjects<'a> {
    /// Users of any issuer that the event names, on a server without authentication.
    OfAny,
    /// Users of this issuer, whose owners are derived from their subjects.
    Of(&'a str),
    /// No users, since all subjects are UUIDs.
    OfNone,
}

impl<'a> From<&'a Identity> for Subjects<'a> {
    fn from(identity: &'a Identity) -> Self {
        match identity {
            Identity::Local => Self::OfAny,
            Identity::Tokens(tokens) => tokens.issuer_of_owners().map_or(Self::OfNone, Self::Of),
        }
    }
}

impl EventParser<'_> {
    /// Determines the owner of an event: the named owner, the user with the named subject, or otherwise
    /// the caller. A malformed owner, and a subject without a user or of another user than the owner,
    /// stay as they are and are rejected with the other violations.
    pub(super) fn settle_owner(self, event: &mut NewEvent) -> Result<(), Unfit> {
        if matches!(&event.owner, Given::Value(OwnerName::User(user)) if user.is_nil()) {
            event.owner = Given::Absent;
        }
        self.settle_subject(event)?;
        let caller = OwnerName::User(self.caller.owner);
        if event.subject.is_absent() {
            event.owner.or_default_to(caller);
        }
        let is_foreign = matches!(&event.owner, Given::Value(owner) if *owner != caller);
        if is_foreign && !self.publishes_for_all() {
            return Err(Unfit::Foreign);
        }
        Ok(())
    }

    /// Determines the system of an event, if the caller's token names one.
    pub(super) fn settle_system(self, event: &mut NewEvent) -> Result<(), Unfit> {
        let Some(system) = self.caller.system else {
            return Ok(());
        };
        if event.system_id.as_value().is_some_and(SystemId::is_nil) {
            event.system_id = Given::Absent;
        }
        event.system_id.or_default_to(system);
        match event.system_id.as_value() {
            Some(named) if *named == system => Ok(()),
            Some(_) | None => Err(Unfit::ForeignSystem),
        }
    }

    /// Replaces a subject by the owner that it stands for.
    fn settle_subject(self, event: &mut NewEvent) -> Result<(), Unfit> {
        if event.subject.is_absent() {
            event.issuer = Given::Absent;
            return Ok(());
        }
        match self.subjects {
            Subjects::OfAny => {}
            Subjects::OfNone => event.issuer = Given::Absent,
            Subjects::Of(issuer) => {
                event.issuer.or_default_to(issuer.to_owned());
                // Users of another issuer cannot sign in, so nobody would ever see the event.
                if event.issuer.as_value().is_some_and(|given| given != issuer) {
                    let mut violations = Violations::default();
                    violations.add(
                        "issuer",
                        "is not the issuer whose tokens this server accepts",
                        "write the issuer as in the tokens' `iss`, or leave `issuer` out",
                    );
                    return Err(Unfit::Invalid(violations));
                }
            }
        }
        event.settle_subject();
        Ok(())
    }
}
