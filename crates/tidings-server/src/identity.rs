//! Authentication and authorization of requests.
//!
//! Without authentication, every client that reaches the server is the one local user. With it, every
//! request needs a token. Only resources that hold no user data are served without a caller.

mod access;
mod authenticator;
mod authority;
mod credential;
mod error;
mod foreign;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod local;
mod local_only;
mod pages;
mod session;

use tidings_event::{OwnerId, SystemId};

use crate::limits::Reach;
use crate::token::{Scopes, TokenError, Tokens};
use crate::vitals::Vitals;

pub(crate) use access::Access;
pub(crate) use authenticator::Authenticator;
pub(crate) use authority::Head;
pub use authority::{Origin, OriginError};
pub(crate) use credential::{Credential, CredentialWatch, Ending, Validity, ended};
pub(crate) use error::{CredentialError, insufficient};
pub(crate) use foreign::{Foreign, ForeignRequest, Rejected};
pub use local::LOCAL_USER;
pub use local_only::local_only;
pub(crate) use pages::{Pages, PathTarget};
pub use pages::{PublicUrl, PublicUrlError};
pub(crate) use session::{Session, SessionCookies};

/// How the server authenticates its callers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Identity {
    /// Every client is [`LOCAL_USER`] and has all scopes. The server therefore listens on loopback
    /// addresses only, and answers only requests that name this machine.
    #[default]
    Local,
    /// Every request needs a token, as `Authorization: Bearer` or in a session cookie.
    Tokens(Tokens),
}

impl Identity {
    /// Whether the server can tell users apart. Only then can it listen for other machines.
    pub(crate) const fn has_login(&self) -> bool {
        matches!(self, Self::Tokens(_))
    }

    /// The tasks behind the tokens, if there are any.
    pub(crate) fn vitals(&self) -> Option<&Vitals> {
        match self {
            Self::Tokens(tokens) => Some(tokens.vitals()),
            Self::Local => None,
        }
    }

    /// Waits until the server can accept callers, for some seconds at most.
    ///
    /// # Errors
    ///
    /// The revoked tokens of the store are not known yet.
    pub(crate) async fn check(&self) -> Result<(), CredentialError> {
        match self {
            Self::Tokens(tokens) if !tokens.revocations().become_known().await => {
                Err(TokenError::RevocationsUnavailable.into())
            }
            Self::Local | Self::Tokens(_) => Ok(()),
        }
    }
}

/// The authenticated sender of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The owner of the events that the request is about.
    pub(crate) owner: OwnerId,
    /// The caller's permissions.
    pub(crate) scopes: Scopes,
    /// The system that the caller's token names.
    pub(crate) system: Option<SystemId>,
}

impl Caller {
    /// The local user of a server without authentication.
    pub(crate) const LOCAL: Self = Self {
        owner: LOCAL_USER,
        scopes: Scopes::ALL,
        system: None,
    };

    /// The systems whose events the caller can update and retract; `None` if all. A token that names no system speaks for its own
    /// subject and for this installation, whose id an event has if its publisher names none.
    pub(crate) fn systems(
        &self,
        installation: SystemId,
        identity: &Identity,
    ) -> Option<Vec<SystemId>> {
        let has_login = identity.has_login();
        has_login.then(|| match self.system {
            Some(system) => vec![system],
            None => vec![SystemId::from_uuid(*self.owner.as_uuid()), installation],
        })
    }

    /// The owners that the caller can publish to; `None` if the caller cannot publish.
    pub(crate) const fn reach(&self) -> Reach {
        if self.scopes.contains(Scopes::PUBLISH) {
            Reach::Everyone
        } else {
            Reach::Themselves
        }
    }
}
