//! The token of a request, and the end of its validity.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
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

/// The token of a request. `Authorization` wins over the cookie, since a browser adds its cookie to every
/// request.
pub(super) fn shown<'a>(
    parts: &'a Parts,
    cookies: &SessionCookies,
    pages: &Pages,
) -> Result<Cow<'a, str>, CredentialError> {
    if let Some(token) = Head::from(parts).bearer()? {
        return Ok(Cow::Borrowed(token));
    }
    let changes = !parts.method.is_safe();
    let token = session::shown(Head::from(parts), cookies, changes, pages)?;
    token.map(Cow::Owned).ok_or(CredentialError::Missing)
}

impl<'a> Head<'a> {
    /// The token in `Authorization`; `None` without that header.
    pub(crate) fn bearer(self) -> Result<Option<&'a str>, CredentialError> {
        if !self.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let header = only(self.headers, &AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(bearer).ok_or(CredentialError::Unreadable)?;
        Ok(Some(token))
    }
}

/// The token of `Bearer …` (RFC 6750 §2.1). The scheme is case-insensitive (RFC 9110 §11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// An accepted token. Streams and other long requests check it again while they run.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) claims: Arc<Claims>,
    tokens: Tokens,
}

/// The end of a credential's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The credential expires at this time.
    Soon(Timestamp),
    /// The credential is not accepted any more.
    Now,
}

/// How long before the expiry the client is warned. A credential with less than twice this time left warns
/// after half of it.
const NOTICE: Duration = Duration::from_secs(60);

/// The longest sleep. A jump of the clock ends the sleep at once; a clock that is slewed is noticed after
/// this time.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

impl Credential {
    pub(super) fn new(claims: Arc<Claims>, tokens: &Tokens) -> Self {
        Self {
            claims,
            tokens: tokens.clone(),
        }
    }

    /// Begins to watch this credential, in a task.
    pub(crate) fn watch(self) -> CredentialWatch {
        CredentialWatch {
            sleep: Box::pin(sleep(Duration::ZERO)),
            changed: self.tokens.changed(),
            validity: Validity::of(self),
        }
    }

    /// The reason why an ended credential is not accepted.
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

/// Waits until a credential is not accepted any more, and returns the reason. Without a credential it waits
/// forever.
pub(crate) async fn ended(credential: Option<Credential>) -> TokenError {
    let Some(credential) = credential else {
        return std::future::pending().await;
    };
    let mut watch = credential.watch();
    while watch.next().await != Ending::Now {}
    watch.validity.credential.fault()
}

/// Reports the expiry and the revocation of a credential. The caller looks at the time that the last
/// look returned, and when [`Tokens::changed`] notifies.
#[derive(Debug)]
pub(crate) struct Validity {
    credential: Credential,
    /// How long before the expiry to warn.
    notice: Duration,
    told: bool,
}

impl Validity {
    pub(crate) fn of(credential: Credential) -> Self {
        Self {
            notice: NOTICE.min(credential.left() / 2),
            told: false,
            credential,
        }
    }

    /// Whether the credential has expired by the wall clock. Timers stop while the machine sleeps, so a
    /// stream checks this before it sends an event that is ready when the machine wakes.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.credential.claims.expires <= now
    }

    /// Whether the credential is not accepted any more.
    pub(crate) fn has_ended(&self) -> bool {
        let credential = &self.credential;
        credential.left().is_zero() || !credential.tokens.still_accepts(&credential.claims)
    }

    /// First [`Ending::Soon`], then [`Ending::Now`] at every further look. Otherwise the time until the
    /// next look.
    pub(crate) fn look(&mut self) -> Result<Duration, Ending> {
        if self.has_ended() {
            return Err(Ending::Now);
        }
        let left = self.credential.left();
        if left <= self.notice && !self.told {
            self.told = true;
            return Err(Ending::Soon(self.credential.claims.expires));
        }
        let due = if self.told {
            left
        } else {
            left.saturating_sub(self.notice)
        };
        Ok(due.min(LONGEST_SLEEP))
    }
}

/// Reports the expiry and the revocation of a credential while a request uses it.
#[derive(Debug)]
pub(crate) struct CredentialWatch {
    validity: Validity,
    /// Notify when the credential must be checked again: revocations, new keys, jumps of the clock.
    changed: [watch::Receiver<u64>; 3],
    sleep: Pin<Box<Sleep>>,
}

impl CredentialWatch {
    /// As [`Validity::is_over`].
    pub(crate) fn is_over(&self) -> bool {
        self.validity.is_over(Timestamp::now())
    }

    /// Waits for the next ending: first [`Ending::Soon`], then [`Ending::Now`] at every further call. A
    /// revocation or a replaced key ends the credential at once.
    ///
    /// Cancel-safe.
    pub(crate) async fn next(&mut self) -> Ending {
        loop {
            // Marked before the look, so that a later revocation wakes this task.
            for changed in &mut self.changed {
                changed.mark_unchanged();
            }
            let due = match self.validity.look() {
                Ok(due) => due,
                Err(ending) => return ending,
            };
            let wake = tokio::time::Instant::now() + due;
            self.sleep.as_mut().reset(wake);
            let [revoked, exchanged, jumped] = &mut self.changed;
            tokio::select! {
                () = self.sleep.as_mut() => {}
                // `validity` holds the senders, so `changed` never fails.
                _ = revoked.changed() => {}
                _ = exchanged.changed() => {}
                _ = jumped.changed() => {}
            }
        }
    }
}
