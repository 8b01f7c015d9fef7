//! Checks where a request comes from, and authenticates its caller.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use tidings_event::OwnerId;

use super::authority::{self, Proxy, Sender};
use super::pages;
use super::{
    Caller, Credential, CredentialError, ForeignRequest, Head, Identity, Pages, SessionCookies,
    credential, session,
};
use crate::token::{Claims, Tokens};

/// Checks where requests come from, and authenticates their callers.
#[derive(Debug)]
pub(crate) struct Authenticator {
    pub(crate) identity: Identity,
    /// The names of the session cookies.
    pub(crate) cookies: SessionCookies,
    /// The public addresses of the server's own pages, and the origins of other pages that can use it.
    pub(crate) pages: Pages,
    /// The installation. A token cannot name it as its owner.
    pub(crate) system: OwnerId,
}

/// Resources that hold nothing of any user: the page, its files, the API's description and the
/// health checks. They are served under any host name and to pages of any origin.
const OPEN: [&str; 7] = [
    "/",
    "/tidings.js",
    "/openapi.json",
    "/healthz",
    "/healthz/",
    "/readyz",
    "/readyz/",
];

/// The files of the page are open, too.
const OPEN_FILES: &str = "/assets/";

fn is_open(request: &Request) -> bool {
    let path = request.uri().path();
    request.method().is_safe() && (OPEN.contains(&path) || path.starts_with(OPEN_FILES))
}

impl Authenticator {
    /// Rejects requests of foreign hosts and pages, except for resources that are open to all.
    pub(crate) fn guard(&self, request: &Request) -> Result<(), ForeignRequest> {
        if is_open(request) {
            return Ok(());
        }
        let head = Head::from(request);
        match self.identity {
            Identity::Local if self.pages.names(head) => {}
            Identity::Local => authority::local_authority(head).map(drop)?,
            Identity::Tokens(_) => authority::check_name(head)?,
        }
        let sender = pages::sender(head, Proxy::Perhaps, &self.pages)?;
        // Without authentication the browser itself is the caller. A page of another site cannot read the
        // response, but its timing tells whether a search matches.
        let is_let_in = self.identity.has_login() || sender == Sender::AllowedPage;
        if !is_let_in && authority::is_from_other_page(head) {
            return Err(ForeignRequest::Site);
        }
        Ok(())
    }

    /// The token in the session cookie of a request that changes something, if there is one.
    pub(crate) fn token_in_cookie(
        &self,
        request: Head<'_>,
    ) -> Result<Option<String>, ForeignRequest> {
        session::shown(request, &self.cookies, true, &self.pages)
    }

    /// Finds the caller of a request. A [`Credential`] is put into the request's extensions if a
    /// token is needed.
    pub(crate) async fn authenticate(&self, parts: &mut Parts) -> Result<Caller, CredentialError> {
        match &self.identity {
            Identity::Local => Ok(Caller::LOCAL),
            Identity::Tokens(tokens) => {
                let shown = credential::shown(parts, &self.cookies, &self.pages)?;
                let claims = match tokens.recall(&shown) {
                    Some(claims) => claims,
                    // Boxed: most requests should not pay for the room that verifying takes.
                    None => Box::pin(tokens.verify(&shown)).await?,
                };
                drop(shown);
                self.accept(parts, claims, tokens)
            }
        }
    }

    fn accept(
        &self,
        parts: &mut Parts,
        claims: Arc<Claims>,
        tokens: &Tokens,
    ) -> Result<Caller, CredentialError> {
        if claims.owner == self.system {
            return Err(CredentialError::SystemAsCaller);
        }
        let caller = Caller {
            owner: claims.owner,
            scopes: claims.scopes,
            system: claims.system,
        };
        parts.extensions.insert(Credential::new(claims, tokens));
        Ok(caller)
    }
}
