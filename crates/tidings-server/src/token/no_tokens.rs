//! The tokens of a build without the feature `jwt`: they cannot be opened.

use std::convert::Infallible;
use std::sync::Arc;

use jiff::Timestamp;
use tidings::wire::RevokedTokens;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::claims::Claims;
use super::config::{TokenConfig, TokenSetupError};
use super::error::TokenError;
use super::revoke_error::RevokeError;
use crate::vitals::Vitals;

/// Verifies tokens, in a build with the feature `jwt`. In this build there are none.
#[derive(Clone, Debug)]
pub struct Tokens {
    revocations: Revocations,
}

/// The revoked tokens, in a build with the feature `jwt`. In this build there are none.
#[derive(Clone, Debug)]
pub struct Revocations {
    never: Infallible,
}

impl Tokens {
    /// Fails.
    ///
    /// # Errors
    ///
    /// [`TokenSetupError::WithoutFeature`].
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub async fn open(_: TokenConfig) -> Result<Self, TokenSetupError> {
        Err(TokenSetupError::WithoutFeature { feature: "jwt" })
    }

    pub(crate) fn vitals(&self) -> &Vitals {
        match self.revocations.never {}
    }

    /// The revoked tokens.
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(crate) async fn verify(&self, _: &str) -> Result<Arc<Claims>, TokenError> {
        match self.revocations.never {}
    }

    pub(crate) const fn recall(&self, _: &str) -> Option<Arc<Claims>> {
        match self.revocations.never {}
    }

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(crate) async fn identify(&self, _: &str) -> Result<Claims, TokenError> {
        match self.revocations.never {}
    }

    pub(crate) const fn issuer_of_owners(&self) -> Option<&str> {
        match self.revocations.never {}
    }

    pub(crate) const fn still_accepts(&self, _: &Claims) -> bool {
        match self.revocations.never {}
    }

    pub(crate) const fn changed(&self) -> [watch::Receiver<u64>; 3] {
        match self.revocations.never {}
    }
}

impl Revocations {
    pub(crate) fn share(&self, _: RevokedTokens, _: &Vitals) -> AbortOnDropHandle<()> {
        match self.never {}
    }

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(crate) async fn become_known(&self) -> bool {
        match self.never {}
    }

    /// Whether the token with this id was revoked.
    pub const fn is_revoked(&self, _: &str) -> bool {
        match self.never {}
    }

    /// Revokes a token.
    ///
    /// # Errors
    ///
    /// [`RevokeError`].
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub async fn revoke(&self, _: &str, _: Option<Timestamp>) -> Result<(), RevokeError> {
        match self.never {}
    }

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(crate) async fn end_session(&self, _: &Claims) -> Result<(), RevokeError> {
        match self.never {}
    }
}
