//! Keys that are fetched from a URL (a `jwks_uri`, RFC 8414 §2).
//!
//! One task fetches them: at the start, then at fixed intervals, and when a token names a key that is not
//! there. Many tokens that do so at once wait for the same answer, and it is not asked for more often than
//! once in ten seconds, so that nobody makes this server hammer the other. What fails changes nothing:
//! the keys from before still count.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use url::{Host, Url};

use super::current_keys::CurrentKeys;
use super::jwks::{self, JwksFault, MAX_JWKS_BYTES};
use super::keys::KeySet;
use crate::error_chain::chain;

/// How often, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between a good answer and the next request.
    pub(super) refresh: Duration,
    /// Between a failure and the next request.
    pub(super) retry: Duration,
    /// After an answer, tokens with unknown keys cause no other request for this long.
    pub(super) apart: Duration,
    /// For a whole answer.
    pub(super) timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(5 * 60),
            retry: Duration::from_secs(30),
            apart: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
        }
    }
}

/// Why keys are not fetched from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyUrlFault {
    /// Whoever is on the way could put in keys of their own.
    #[error("must begin with https://, or with http:// and a loopback address")]
    Unprotected,
    /// They would end up in logs.
    #[error("must not carry a user name or a password")]
    Credentials,
}

/// Why there was no good answer.
#[derive(Debug, thiserror::Error)]
enum FetchFault {
    #[error("no answer")]
    Http(#[source] reqwest::Error),
    #[error("the answer has status {0}, and redirects are not followed")]
    Status(StatusCode),
    #[error("the answer has more than {MAX_JWKS_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Jwks(#[from] JwksFault),
}

/// Keeps keys up to date. The task ends when this is dropped.
#[derive(Debug)]
pub(super) struct RemoteKeys {
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Shared {
    http: Client,
    url: Url,
    pace: Pace,
    keys: Arc<CurrentKeys>,
    fetching: Mutex<Fetching>,
    wanted: Notify,
    /// Counts the answers, bad ones too.
    answers: watch::Sender<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Fetching {
    /// A request is on its way, or the task is about to send one.
    now: bool,
    /// When the last one was over.
    ended: Instant,
}

/// Whether keys can be fetched from here safely.
///
/// # Errors
///
/// [`KeyUrlFault`].
pub(super) fn check_url(url: &Url) -> Result<(), KeyUrlFault> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(KeyUrlFault::Credentials);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        _ => Err(KeyUrlFault::Unprotected),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
        Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl RemoteKeys {
    /// Begins to fetch keys into `keys`, and waits for the first answer, be it good or not.
    ///
    /// # Errors
    ///
    /// When there is no TLS, as on a machine without a single trusted certificate.
    pub(super) async fn start(
        url: Url,
        pace: Pace,
        keys: Arc<CurrentKeys>,
    ) -> reqwest::Result<Self> {
        let mut client = Client::builder()
            // The environment does not decide where keys come from.
            .no_proxy()
            .redirect(Policy::none())
            .timeout(pace.timeout)
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")));
        if url.scheme() == "http" {
            // Nothing of the machine's certificates is needed then.
            client = client.tls_certs_only([]);
        }
        let shared = Arc::new(Shared {
            http: client.build()?,
            url,
            pace,
            keys,
            fetching: Mutex::new(Fetching {
                now: true,
                ended: Instant::now(),
            }),
            wanted: Notify::new(),
            answers: watch::Sender::new(0),
        });
        let mut answers = shared.answers.subscribe();
        let task = Arc::clone(&shared)
            .keep_fetching()
            .instrument(tracing::info_span!("token_keys"));
        let task = AbortOnDropHandle::new(tokio::spawn(task));
        // Fails only without a sender, and there it is.
        let _ = answers.changed().await;
        Ok(Self {
            shared,
            _task: task,
        })
    }

    /// Waits for keys that are newer than this call, or about to come; but for the last answer if that
    /// is too new to ask again.
    pub(super) async fn refresh(&self) {
        let mut answers = self.shared.answers.subscribe();
        {
            let mut fetching = self.shared.fetching();
            if !fetching.now {
                if fetching.ended.elapsed() < self.shared.pace.apart {
                    return;
                }
                fetching.now = true;
                self.shared.wanted.notify_one();
            }
        }
        // The request has a time-out of its own. This one is for a task that is gone.
        let longest = self.shared.pace.timeout.saturating_mul(2);
        let _ = tokio::time::timeout(longest, answers.changed()).await;
    }
}

impl Shared {
    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        // It is only held to set fields, each of which is good by itself.
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep_fetching(self: Arc<Self>) {
        let mut fault = None;
        loop {
            let fetched = self.fetch().await;
            let rest = match &fetched {
                Ok(_) => self.pace.refresh,
                Err(_) => self.pace.retry,
            };
            self.take(fetched, &mut fault);
            *self.fetching() = Fetching {
                now: false,
                ended: Instant::now(),
            };
            self.answers.send_modify(|answers| *answers += 1);
            self.rest(rest).await;
        }
    }

    /// Takes the keys, or logs why there are none, once for each reason.
    fn take(&self, fetched: Result<KeySet, FetchFault>, fault: &mut Option<String>) {
        // Without the query, which may hold what is nobody's business.
        let url = &self.url[..url::Position::AfterPath];
        match fetched {
            Ok(keys) => {
                self.keys.store(keys);
                if fault.take().is_some() {
                    tracing::info!(url, "the keys that verify tokens can be fetched again");
                }
            }
            Err(error) => {
                let cause = chain(&error);
                if fault.as_ref() != Some(&cause) {
                    let known = self.keys.load().is_some();
                    let meanwhile = if known {
                        "those from before still count"
                    } else {
                        "no token is accepted until they can"
                    };
                    tracing::error!(
                        url,
                        cause,
                        "the keys that verify tokens cannot be fetched; {meanwhile}"
                    );
                    *fault = Some(cause);
                }
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchFault> {
        let http = |error: reqwest::Error| FetchFault::Http(error.without_url());
        let request = self.http.get(self.url.clone());
        let request = request.header(ACCEPT, "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(http)?;
        if response.status() != StatusCode::OK {
            return Err(FetchFault::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(http)? {
            if (body.len() + chunk.len()) as u64 > MAX_JWKS_BYTES {
                return Err(FetchFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(jwks::read(&body)?)
    }

    /// Ends when it is time for the next request, which is then taken for begun.
    async fn rest(&self, time: Duration) {
        let due = Instant::now() + time;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {
                    self.fetching().now = true;
                    return;
                }
                () = self.wanted.notified() => {
                    // Else it was wanted just when the time had come, and is done.
                    if self.fetching().now {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_a_safe_place_only() {
        for (url, fault) in [
            ("https://id.example/jwks", None),
            ("http://127.0.0.1:8080/jwks", None),
            ("http://127.9.9.9/jwks", None),
            ("http://[::1]/jwks", None),
            ("http://LOCALHOST/jwks", None),
            ("http://id.example/jwks", Some(KeyUrlFault::Unprotected)),
            (
                "http://localhost.example/jwks",
                Some(KeyUrlFault::Unprotected),
            ),
            ("http://10.0.0.1/jwks", Some(KeyUrlFault::Unprotected)),
            ("http://0.0.0.0/jwks", Some(KeyUrlFault::Unprotected)),
            ("file:///etc/jwks", Some(KeyUrlFault::Unprotected)),
            ("ftp://127.0.0.1/jwks", Some(KeyUrlFault::Unprotected)),
            (
                "https://user@id.example/jwks",
                Some(KeyUrlFault::Credentials),
            ),
            (
                "https://:pass@id.example/jwks",
                Some(KeyUrlFault::Credentials),
            ),
        ] {
            let checked = check_url(&url.parse().unwrap());
            assert_eq!(checked.err(), fault, "{url}");
        }
    }
}
