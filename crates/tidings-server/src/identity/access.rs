//! The scopes that operations need.

use crate::token::Scopes;

/// The scopes that an operation needs, for its documentation and its tests. The extractor that its handler
/// takes enforces them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// No token is needed.
    Everybody,
    /// Every valid token.
    Caller,
    /// A token with any of these scopes.
    AnyOf(&'static [Scopes]),
}

impl Access {
    /// For the extractor `Reader`.
    pub(crate) const READER: Self = Self::AnyOf(&[Scopes::READ]);
    /// For the extractor `Changer`.
    pub(crate) const CHANGER: Self = Self::AnyOf(&[Scopes::WRITE]);
    /// For the extractors `Publisher` and `DeletionRequest`.
    pub(crate) const PUBLISHER: Self = Self::AnyOf(&[Scopes::WRITE, Scopes::PUBLISH]);
    /// For the extractor `Updater`.
    pub(crate) const UPDATER: Self = Self::AnyOf(&[Scopes::PUBLISH]);
    /// For the extractor `Administrator`.
    pub(crate) const ADMINISTRATOR: Self = Self::AnyOf(&[Scopes::ADMIN]);
}
