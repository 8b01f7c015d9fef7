//! The token a caller shows, and how long it is good.

use std::pin::Pin;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use super::authority::{Head, only};
use super::session::{self, SessionCookies};
use super::{CredentialError, Pages};
use crate::token::{Claims, TokenError, Tokens};

/// The text of the token a request shows. A header wins: a program says what it means, and a browser
/// adds its cookie to whatever it sends.
pub(super) fn shown(
    parts: &Parts,
    cookies: &SessionCookies,
    pages: &Pages,
) -> Result<String, CredentialError> {
    if let Some(token) = Head::from(parts).bearer()? {
        return Ok(token.to_owned());
    }
    let changes = !parts.method.is_safe();
    session::shown(Head::from(parts), cookies, changes, pages)?.ok_or(CredentialError::Missing)
}

impl<'a> Head<'a> {
    /// The token in the header, if there is that header.
    pub(crate) fn bearer(self) -> Result<Option<&'a str>, CredentialError> {
        if !self.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let header = only(self.headers, &AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).ok_or(CredentialError::Unreadable)?;
        Ok(Some(token))
    }
}

/// The token of `Bearer …` (RFC 6750 §2.1); the scheme's case does not count (RFC 9110 §11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What lets a request in, for what goes on after it was let in.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) claims: Claims,
    tokens: Tokens,
}

/// How a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It will be refused from this moment on.
    Soon(Timestamp),
    /// It is refused.
    Now,
}

/// How long before a credential's end its holder is told, unless it is shorter than twice that.
const NOTICE: Duration = Duration::from_secs(60);

/// The longest sleep, although a clock that is set meanwhile wakes it: one that is set by little and by
/// little is noticed after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

impl Credential {
    pub(super) fn new(claims: Claims, tokens: &Tokens) -> Self {
        Self {
            claims,
            tokens: tokens.clone(),
        }
    }

    /// Watches over it from now on.
    pub(crate) fn watch(self) -> Watch {
        let left = self.left();
        let notice = NOTICE.min(left / 2);
        Watch {
            sleep: Box::pin(sleep(Duration::ZERO)),
            notice,
            told: false,
            changed: self.tokens.changed(),
            credential: self,
        }
    }

    /// Why it is refused, once it is.
    fn fault(&self) -> TokenError {
        if self.left().is_zero() {
            TokenError::Expired
        } else if self.tokens.revocations().is_revoked(&self.claims.id) {
            TokenError::Revoked
        } else {
            TokenError::UnknownKey
        }
    }

    fn left(&self) -> Duration {
        let left = self.claims.expires.duration_since(Timestamp::now());
        Duration::try_from(left).unwrap_or(Duration::ZERO)
    }
}

/// Waits until a credential is refused, and says why; for ever, if none is needed.
pub(crate) async fn ended(credential: Option<Credential>) -> TokenError {
    let Some(credential) = credential else {
        return std::future::pending().await;
    };
    let mut watch = credential.watch();
    while watch.next().await != Ending::Now {}
    watch.credential.fault()
}

/// Tells what happens to a credential while something goes on by it.
#[derive(Debug)]
pub(crate) struct Watch {
    credential: Credential,
    /// Tells when the credential is to be judged again.
    changed: [watch::Receiver<u64>; 3],
    sleep: Pin<Box<Sleep>>,
    /// How long before its end to tell.
    notice: Duration,
    told: bool,
}

impl Watch {
    /// Whether its time has passed by the wall clock. While the machine sleeps, no timer runs; what is
    /// ready when it wakes must not be handed out first.
    pub(crate) fn is_over(&self) -> bool {
        self.credential.left().is_zero()
    }

    /// Waits for what happens next: first that it ends soon, then that it has ended, which is told
    /// again and again. One that is revoked, or whose key was
    /// exchanged, has ended.
    ///
    /// Cancel-safe.
    pub(crate) async fn next(&mut self) -> Ending {
        loop {
            // Seen before the look, so that what is revoked after it wakes this.
            let credential = &self.credential;
            for changed in &mut self.changed {
                changed.mark_unchanged();
            }
            let left = credential.left();
            if left.is_zero() || !credential.tokens.still_accepts(&credential.claims) {
                return Ending::Now;
            }
            if left <= self.notice && !self.told {
                self.told = true;
                return Ending::Soon(credential.claims.expires);
            }
            let due = if self.told { left } else { left - self.notice };
            let wake = tokio::time::Instant::now() + due.min(LONGEST_SLEEP);
            self.sleep.as_mut().reset(wake);
            let [revoked, exchanged, jumped] = &mut self.changed;
            tokio::select! {
                () = self.sleep.as_mut() => {}
                // The senders are in what we hold, so they never go.
                _ = revoked.changed() => {}
                _ = exchanged.changed() => {}
                _ = jumped.changed() => {}
            }
        }
    }
}
