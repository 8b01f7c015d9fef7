//! Who is calling, and what they may do.
//!
//! Either there is no login, and everybody who reaches this machine's port is the one local user; or
//! every request shows a token. There is nothing in between, and no request without a caller but those
//! that concern nobody.

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

use tidings_event::OwnerId;

use crate::limits::Reach;
use crate::token::{Scopes, Tokens};

pub(crate) use access::Access;
pub(crate) use authenticator::Authenticator;
pub(crate) use authority::Head;
pub use authority::{Origin, OriginError};
pub(crate) use credential::{Credential, Ending, Watch, ended};
pub(crate) use error::{CredentialError, insufficient};
pub(crate) use foreign::{Foreign, ForeignRequest, Refused};
pub use local::LOCAL_USER;
pub use local_only::local_only;
pub(crate) use pages::{Entry, Pages};
pub use pages::{PublicUrl, PublicUrlError};
pub(crate) use session::{Session, SessionCookies};

/// How a server knows who calls.
#[derive(Clone, Debug, Default)]
pub enum Identity {
    /// Whoever reaches it is [`LOCAL_USER`] and may do everything; so it listens on loopback addresses
    /// only, and answers only requests that name this machine.
    #[default]
    Local,
    /// Every caller shows a token, as `Authorization: Bearer` or in a session's cookie.
    Tokens(Tokens),
}

impl Identity {
    /// Whether it can tell its users apart, so that other machines may reach it.
    pub(crate) const fn has_login(&self) -> bool {
        matches!(self, Self::Tokens(_))
    }
}

/// The one who sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// Whose events the request is about.
    pub(crate) owner: OwnerId,
    /// What the caller may do.
    pub(crate) scopes: Scopes,
}

impl Caller {
    /// The user of a server without a login.
    pub(crate) const LOCAL: Self = Self {
        owner: LOCAL_USER,
        scopes: Scopes::ALL,
    };

    /// To whom the caller may publish, if they may publish at all.
    pub(crate) const fn reach(&self) -> Reach {
        if self.scopes.contains(Scopes::PUBLISH) {
            Reach::Everyone
        } else {
            Reach::Themselves
        }
    }
}
