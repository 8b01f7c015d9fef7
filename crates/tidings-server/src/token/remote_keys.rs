//! Keys that are fetched from a URL (a `jwks_uri`, RFC 8414 §2).
//!
//! One task fetches them: at the start, then at fixed intervals, and when a token names an unknown key.
//! Tokens with unknown keys that arrive together wait for the same response, and cause at most one request
//! in 10 seconds, so that nobody can make this server flood the other. A failure changes nothing: the
//! previous keys stay in use.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use url::Url;

use super::config::TokenSetupError;
use super::current_keys::CurrentKeys;
use super::jwks::{self, JwksFault, MAX_JWKS_BYTES};
use super::keys::KeySet;
use crate::error_chain::chain;
use crate::vitals::{Part, Vitals};

/// The intervals and the time-out of requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between a good response and the next request.
    pub(super) refresh: Duration,
    /// Between a failure and the next request.
    pub(super) retry: Duration,
    /// After a response, tokens with unknown keys cause no other request for this long.
    pub(super) apart: Duration,
    /// For a whole response.
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

/// Why a request gave no keys.
#[derive(Debug, thiserror::Error)]
enum FetchFault {
    #[error("no response")]
    Http(#[source] reqwest::Error),
    #[error("the response has status {0}, and redirects are not followed")]
    Status(StatusCode),
    #[error("the response has more than {MAX_JWKS_BYTES} bytes")]
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
    /// Counts the responses, bad ones too.
    responses: watch::Sender<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Fetching {
    /// A request is under way, or the task is about to send one.
    now: bool,
    /// The end of the last request.
    ended: Instant,
}

impl RemoteKeys {
    /// Begins to fetch keys into `keys`, and waits for the first response, good or bad.
    ///
    /// # Errors
    ///
    /// [`TokenSetupError::Tls`], as on a machine without a single trusted certificate.
    pub(super) async fn start(
        url: Url,
        pace: Pace,
        keys: Arc<CurrentKeys>,
        vitals: &Vitals,
    ) -> Result<Self, TokenSetupError> {
        let mut client = Client::builder()
            // The environment does not decide where keys come from.
            .no_proxy()
            .redirect(Policy::none())
            .timeout(pace.timeout)
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")));
        if url.scheme() == "http" {
            // A plain HTTP client needs none of the machine's certificates.
            client = client.tls_certs_only([]);
        }
        let shared = Arc::new(Shared {
            http: client
                .build()
                .map_err(|error| TokenSetupError::Tls(error.into()))?,
            url,
            pace,
            keys,
            fetching: Mutex::new(Fetching {
                now: true,
                ended: Instant::now(),
            }),
            wanted: Notify::new(),
            responses: watch::Sender::new(0),
        });
        let mut responses = shared.responses.subscribe();
        let task = Arc::clone(&shared).keep_fetching();
        let task = vitals
            .watch(Part::Keys, task)
            .instrument(tracing::info_span!("token_keys"));
        let task = AbortOnDropHandle::new(tokio::spawn(task));
        // As in `refresh`.
        let longest = shared.pace.timeout.saturating_mul(2);
        let _ = tokio::time::timeout(longest, responses.changed()).await;
        Ok(Self {
            shared,
            _task: task,
        })
    }

    /// Waits for keys that are newer than this call. Returns at once if the last response is too recent
    /// for another request.
    pub(super) async fn refresh(&self) {
        let mut responses = self.shared.responses.subscribe();
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
        // The request has a time-out of its own. This one is for a task that has ended.
        let longest = self.shared.pace.timeout.saturating_mul(2);
        let _ = tokio::time::timeout(longest, responses.changed()).await;
    }
}

impl Shared {
    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        // Each field is valid by itself, so a panic leaves no broken state.
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep_fetching(self: Arc<Self>) -> Infallible {
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
            self.responses.send_modify(|responses| *responses += 1);
            self.rest(rest).await;
        }
    }

    /// Stores the keys, or logs the reason why there are none, once for each reason.
    fn take(&self, fetched: Result<KeySet, FetchFault>, fault: &mut Option<String>) {
        // The query is left out, since it can contain a secret.
        let url = &self.url[..url::Position::AfterPath];
        match fetched {
            Ok(keys) => {
                self.keys.store(keys);
                if fault.take().is_some() {
                    tracing::info!(url, "fetched the keys that verify tokens again");
                }
            }
            Err(error) => {
                let cause = chain(&error);
                if fault.as_ref() != Some(&cause) {
                    let known = self.keys.load().is_some();
                    let effect = if known {
                        "the previous keys stay in use"
                    } else {
                        "no token is accepted until a fetch succeeds"
                    };
                    tracing::error!(
                        url,
                        cause,
                        effect,
                        "could not fetch the keys that verify tokens"
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

    /// Waits until the next request is due, and marks it as begun.
    async fn rest(&self, time: Duration) {
        let due = Instant::now() + time;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {
                    self.fetching().now = true;
                    return;
                }
                () = self.wanted.notified() => {
                    // Otherwise the request that was asked for has been made already.
                    if self.fetching().now {
                        return;
                    }
                }
            }
        }
    }
}
