//! Who is calling, and what they may do.
//!
//! Either there is no login, and everybody who reaches this machine's port is the one local user; or
//! every request shows a token. There is nothing in between, and no request without a caller but those
//! that concern nobody.

mod access;
mod authority;
mod credential;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod local;
mod local_only;
mod pages;
mod session;

use axum::extract::Request;
use axum::http::request::Parts;
use tidings_event::OwnerId;

use crate::error::ApiError;
use crate::limits::Reach;
use crate::state::AppState;
use crate::token::{Scopes, Tokens};

pub(crate) use access::{Access, Administrator, Changer, Publisher, Reader, Shown};
pub(crate) use authority::Head;
pub use authority::{Origin, OriginError};
use authority::{Proxy, Sender};
pub(crate) use credential::{Credential, Ending, Watch, ended};
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

/// What holds nothing of anybody: the page, its files, the API's description and the health checks. It
/// is served whatever name a proxy or a load balancer gives the server, and to pages of any origin.
const OPEN: [&str; 7] = [
    "/",
    "/tidings.js",
    "/openapi.json",
    "/healthz",
    "/healthz/",
    "/readyz",
    "/readyz/",
];

/// The files of the page are open too.
const OPEN_FILES: &str = "/assets/";

fn is_open(request: &Request) -> bool {
    let path = request.uri().path();
    request.method().is_safe() && (OPEN.contains(&path) || path.starts_with(OPEN_FILES))
}

/// Refuses requests from where none may come, unless they ask for what is open to all.
pub(crate) fn guard(request: &Request, state: &AppState) -> Result<(), ApiError> {
    if is_open(request) {
        return Ok(());
    }
    let head = Head::from(request);
    match state.identity {
        Identity::Local if state.pages.names(head) => {}
        Identity::Local => authority::local_authority(head).map(drop)?,
        Identity::Tokens(_) => authority::check_name(head)?,
    }
    let sender = authority::sender(head, Proxy::Perhaps, &state.pages)?;
    // Without a login the browser itself is the caller. A page of another site cannot read an answer,
    // but how long it takes tells whether a search matches.
    let is_let_in = state.identity.has_login() || sender == Sender::AllowedPage;
    if !is_let_in && authority::is_from_other_page(head) {
        return Err(ApiError::RequestFromElsewhere);
    }
    Ok(())
}

/// The token in the cookie of a request that changes something, if there is one.
pub(crate) fn shown_by_cookie(
    request: Head<'_>,
    state: &AppState,
) -> Result<Option<String>, ApiError> {
    session::shown(request, &state.session_cookies, true, &state.pages)
}

/// Finds out who sent a request. With a token, a [`Credential`] is put into its extensions.
async fn authenticate(parts: &mut Parts, state: &AppState) -> Result<Caller, ApiError> {
    match &state.identity {
        Identity::Local => Ok(Caller::LOCAL),
        // Verifying takes room that requests without a login should not pay for.
        Identity::Tokens(tokens) => Box::pin(verify(parts, state, tokens)).await,
    }
}

async fn verify(parts: &mut Parts, state: &AppState, tokens: &Tokens) -> Result<Caller, ApiError> {
    let shown = credential::shown(parts, &state.session_cookies, &state.pages)?;
    let claims = tokens.verify(&shown).await.map_err(ApiError::Token)?;
    if claims.owner == OwnerId::from(state.engine.system_id()) {
        return Err(ApiError::SystemAsCaller);
    }
    let caller = Caller {
        owner: claims.owner,
        scopes: claims.scopes,
    };
    parts.extensions.insert(Credential::new(claims, tokens));
    Ok(caller)
}
