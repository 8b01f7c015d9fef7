//! The state that handlers share.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Uri;
use tidings::wire::{self, Prepared};
use tidings::{PublishError, Receipt, Tidings};
use tokio_util::task::AbortOnDropHandle;

use crate::config::Config;
use crate::error::ApiError;
use crate::identity::{
    Authenticator, Caller, Credential, CredentialError, Identity, Pages, SessionCookies,
};
use crate::limits::{Callers, StreamSlot, check_uri};
use crate::log_level::LogLevel;
use crate::metrics::{CountedRoute, Metrics};
use crate::peer::Peer;
use crate::repeats::Repeats;
use crate::request::body::BodyBudget;
use crate::response::{MemoryNeed, Reservation, ResponseBudget};
use crate::shutdown::Drain;
use crate::stream_reads::StreamReads;
use crate::token::Scopes;
use crate::vitals::{Part, Vitals};

/// The shortest silence: with a shorter one idle streams would be busy.
const MIN_KEEPALIVE: Duration = Duration::from_secs(1);

/// The parts of the server that handlers use. Handlers get it behind an `Arc`.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) engine: Tidings,
    /// The same engine, for events as JSON.
    pub(crate) wire: wire::Engine,
    /// Whether the tasks of the server still run.
    pub(crate) vitals: Vitals,
    pub(crate) drain: Drain,
    pub(crate) bodies: BodyBudget,
    responses: ResponseBudget,
    pub(crate) authenticator: Authenticator,
    pub(crate) callers: Callers,
    /// The longest path with its query, in bytes.
    pub(crate) uri_bytes: usize,
    pub(crate) metrics: Metrics,
    /// Counts requests that fail, or are rejected as foreign, for the same reason.
    pub(crate) repeats: Arc<Repeats>,
    pub(crate) stream_reads: Arc<StreamReads>,
    /// The silence after which a stream sends a comment.
    pub(crate) keepalive: Duration,
    /// The time after which a client that takes nothing is closed.
    pub(crate) write_timeout: Duration,
    /// The time after the start of the drain within which the streams end.
    pub(crate) drain_spread: Duration,
    /// Learns of the tokens that other servers with the same store revoke.
    _revocations: Option<AbortOnDropHandle<()>>,
    /// The level of the program's log, if the program lets the server set it.
    pub(crate) log_level: Option<LogLevel>,
    /// The OpenAPI document, of a server with or without authentication.
    #[cfg(feature = "openapi")]
    pub(crate) document: fn(has_login: bool) -> bytes::Bytes,
}

/// Data about the routes. They are plain values, since the routes are built on the state.
#[derive(Debug)]
pub(crate) struct Surface {
    /// The routes whose requests are counted.
    pub(crate) routes: Vec<CountedRoute>,
    /// The OpenAPI document, of a server with or without authentication.
    #[cfg(feature = "openapi")]
    pub(crate) document: fn(has_login: bool) -> bytes::Bytes,
}

impl AppState {
    /// The first task of the server that has ended, if any.
    pub(crate) fn ended(&self) -> Option<Part> {
        let of_tokens = self.authenticator.identity.vitals();
        let mut all = iter::once(&self.vitals).chain(of_tokens);
        all.find_map(Vitals::ended)
    }

    pub(crate) fn new(engine: Tidings, config: &Config, surface: Surface) -> Self {
        let has_login = config.identity.has_login();
        let vitals = Vitals::default();
        let wire = wire::Engine::of(&engine);
        Self {
            repeats: Arc::default(),
            stream_reads: Arc::default(),
            metrics: Metrics::new(&engine, &config.log_dropped, surface.routes),
            uri_bytes: config.connections.uri_bytes,
            callers: Callers::new(&config.limits, engine.limits().batch_events),
            authenticator: Authenticator {
                identity: config.identity.clone(),
                cookies: SessionCookies::of(engine.system_id()),
                pages: Pages {
                    public: config.public_urls.clone(),
                    // Without authentication an allowed page could do everything.
                    allowed: if has_login {
                        config.allowed_origins.clone()
                    } else {
                        Vec::new()
                    },
                },
                system: engine.system_id().into(),
            },
            _revocations: match (&config.identity, wire.revoked_tokens()) {
                (Identity::Tokens(tokens), Some(store)) => {
                    Some(tokens.revocations().share(store, &vitals))
                }
                (Identity::Tokens(_), None) | (Identity::Local, _) => None,
            },
            engine,
            wire,
            vitals,
            drain: Drain::default(),
            bodies: BodyBudget::new(config.connections.upload_timeout),
            responses: ResponseBudget::new(has_login),
            keepalive: config.keepalive.max(MIN_KEEPALIVE),
            write_timeout: config.write_timeout,
            // Every stream ends well before the grace time cuts it off.
            drain_spread: config.drain_spread.min(config.drain_grace / 2),
            log_level: config.log_level.clone(),
            #[cfg(feature = "openapi")]
            document: surface.document,
        }
    }

    /// Counts a request against its caller's limits, unless its URI is too long.
    pub(crate) fn admit(&self, caller: Caller, uri: &Uri) -> Result<(), ApiError> {
        self.judge(check_uri(uri, self.uri_bytes))?;
        self.judge(self.callers.count_request(caller.owner))
    }

    /// Counts a request that publishes nothing new, but changes what was published, unless its URI is too long.
    pub(crate) fn admit_publish(&self, caller: Caller, uri: &Uri) -> Result<(), ApiError> {
        self.judge(check_uri(uri, self.uri_bytes))?;
        self.judge(self.callers.count_publish(caller.owner, caller.reach(), 0))
    }

    /// Stores events. A caller who publishes for others can exceed the quota of an inbox's owner.
    /// Without authentication the quota always applies, since all callers are one.
    pub(crate) async fn publish(
        &self,
        caller: Caller,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        if self.authenticator.identity.has_login() && caller.scopes.contains(Scopes::PUBLISH) {
            self.wire.publish(events).await
        } else {
            self.wire.publish_by_owner(events).await
        }
    }

    /// Reserves the memory of a response of at most `bytes`, before the work for it starts. The wait for
    /// it ends with the credential.
    pub(crate) async fn reserve_response(
        &self,
        caller: Caller,
        credential: Option<Credential>,
        bytes: usize,
    ) -> Result<Reservation, ApiError> {
        let room = MemoryNeed { bytes, kept: 0 };
        let reserved = self.responses.reserve(caller.owner, credential, room).await;
        self.judge(reserved)
    }

    /// Reserves the memory of the response to a publish request, which is as large as the events that
    /// the request holds while it waits.
    pub(crate) async fn reserve_published(
        &self,
        caller: Caller,
        bytes: usize,
    ) -> Result<Reservation, ApiError> {
        let room = MemoryNeed { bytes, kept: bytes };
        let reserved = self.responses.reserve(caller.owner, None, room).await;
        self.judge(reserved)
    }

    /// Counts a request for a live stream, and the stream until the slot is dropped.
    pub(crate) fn open_stream(
        &self,
        caller: Caller,
        request: &Request,
    ) -> Result<StreamSlot, ApiError> {
        self.admit(caller, request.uri())?;
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|Peer(address)| *address);
        self.judge(self.callers.open_stream(caller.owner, address))
    }

    /// Delays a response of `bytes` until its caller's rate has room for it. The wait ends with the
    /// credential.
    pub(crate) async fn pace_response(
        &self,
        caller: Caller,
        credential: Option<Credential>,
        bytes: usize,
    ) -> Result<(), ApiError> {
        let counted = async {
            self.callers.count_response(caller.owner, bytes).await;
            Ok::<_, ApiError>(())
        };
        self.read_while_valid(credential, counted).await
    }

    /// Waits for a query until the caller's credential ends. Dropping the future gives up its turn.
    pub(crate) async fn read_while_valid<T, E: Into<ApiError>>(
        &self,
        credential: Option<Credential>,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ApiError> {
        tokio::select! {
            biased;
            read = read => self.judge(read),
            rejected = crate::identity::ended(credential) => Err(CredentialError::from(rejected).into()),
        }
    }

    /// Counts a rejection by a limit.
    pub(crate) fn judge<T, E: Into<ApiError>>(&self, outcome: Result<T, E>) -> Result<T, ApiError> {
        outcome.map_err(|rejected| {
            let rejected = rejected.into();
            if let ApiError::Limit(limit) = &rejected {
                self.metrics.count_rejection(*limit);
            }
            rejected
        })
    }
}

#[cfg(test)]
impl Surface {
    /// Nothing: for tests that mount routes of their own.
    pub(crate) fn empty() -> Self {
        Self {
            routes: Vec::new(),
            #[cfg(feature = "openapi")]
            document: |_| bytes::Bytes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use axum::body::Body;

    use super::*;
    use crate::limits::{CallerLimits, LimitError};

    #[tokio::test]
    async fn counts_streams_by_client_address() {
        let data_dir = tempfile::tempdir().unwrap();
        let engine = Tidings::open(tidings::Config::new(data_dir.path())).await;
        let config = Config {
            limits: CallerLimits {
                streams_per_address: NonZeroU32::new(1),
                ..CallerLimits::default()
            },
            ..Config::default()
        };
        let state = AppState::new(engine.unwrap(), &config, Surface::empty());
        let from = |address: Option<&str>| {
            let mut request = Request::new(Body::empty());
            if let Some(address) = address {
                let peer = Peer(address.parse().unwrap());
                request.extensions_mut().insert(peer);
            }
            state.open_stream(Caller::LOCAL, &request)
        };
        let first = from(Some("10.0.0.1")).unwrap();
        assert!(matches!(
            from(Some("10.0.0.1")),
            Err(ApiError::Limit(LimitError::StreamsToAddress { .. }))
        ));
        let _others = [from(Some("10.0.0.2")), from(None), from(None)].map(Result::unwrap);
        drop(first);
        assert!(from(Some("10.0.0.1")).is_ok());
    }
}
