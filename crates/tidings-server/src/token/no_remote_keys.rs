//! Keys of a URL in a build without the feature `jwks-url`: they cannot be fetched.

use std::sync::Arc;

use url::Url;

use super::config::TokenSetupError;
use super::current_keys::CurrentKeys;
use crate::vitals::Vitals;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {}

#[derive(Debug)]
pub(super) enum RemoteKeys {}

impl RemoteKeys {
    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(super) async fn start(
        _: Url,
        _: Pace,
        _: Arc<CurrentKeys>,
        _: &Vitals,
    ) -> Result<Self, TokenSetupError> {
        Err(TokenSetupError::WithoutFeature {
            feature: "jwks-url",
        })
    }

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(super) async fn refresh(&self) {
        match *self {}
    }
}
