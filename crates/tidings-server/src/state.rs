//! What the handlers share.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Uri;
use axum::http::request::Parts;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use tidings::{Prepared, PublishError, Receipt, Tidings};
use tidings_event::Selection;
use uuid::fmt::Hyphenated;

use crate::config::Config;
use crate::error::ApiError;
use crate::identity::{Authenticator, Caller, Credential, CredentialError, Pages, SessionCookies};
use crate::limits::{Callers, StreamPlace, check_uri};
use crate::log_level::LogLevel;
use crate::metrics::{CountedRoute, Metrics};
use crate::peer::Peer;
use crate::repeats::Repeats;
use crate::request::body::{BodyBudget, BodyLimit, Content, ReadBody};
use crate::request::query::{self, Elsewhere};
use crate::response::{Reservation, ResponseBudget, Room};
use crate::shutdown::Drain;
use crate::token::Scopes;

/// The shortest silence: a shorter one would make an idle stream a busy one.
const MIN_KEEPALIVE: Duration = Duration::from_secs(1);

/// An event's id in a list, with its quotes and a comma.
const ID_BYTES: usize = Hyphenated::LENGTH + 3;

/// The collaborators of every handler. Handlers get it behind an `Arc`.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) engine: Tidings,
    pub(crate) drain: Drain,
    pub(crate) bodies: BodyBudget,
    responses: ResponseBudget,
    pub(crate) authenticator: Authenticator,
    pub(crate) callers: Callers,
    /// The longest path with its query.
    uri_bytes: usize,
    pub(crate) metrics: Metrics,
    /// Requests that fail, or are refused as foreign, for the same reason.
    pub(crate) repeats: Arc<Repeats>,
    /// The silence after which a stream says that it is alive.
    pub(crate) keepalive: Duration,
    /// Within which time of the drain's begin the streams end.
    pub(crate) drain_spread: Duration,
    /// The level of the program's log, if it lets the server at it.
    pub(crate) log_level: Option<LogLevel>,
    /// The OpenAPI document, of a server with a login or without one.
    #[cfg(feature = "openapi")]
    pub(crate) document: fn(has_login: bool) -> bytes::Bytes,
}

/// What the state knows of the routes: plain values, since the routes are built on the state.
#[derive(Debug)]
pub(crate) struct Surface {
    /// The routes whose requests are counted.
    pub(crate) routes: Vec<CountedRoute>,
    /// The OpenAPI document, of a server with a login or without one.
    #[cfg(feature = "openapi")]
    pub(crate) document: fn(has_login: bool) -> bytes::Bytes,
}

impl AppState {
    pub(crate) fn new(engine: Tidings, config: &Config, surface: Surface) -> Self {
        let has_login = config.identity.has_login();
        Self {
            repeats: Arc::default(),
            metrics: Metrics::new(&engine, &config.log_dropped, surface.routes),
            uri_bytes: config.connections.uri_bytes,
            callers: Callers::new(&config.limits, engine.limits().batch_events),
            authenticator: Authenticator {
                identity: config.identity.clone(),
                cookies: SessionCookies::of(engine.system_id()),
                pages: Pages {
                    public: config.public_urls.clone(),
                    // Without a login an allowed page could do everything.
                    allowed: if has_login {
                        config.allowed_origins.clone()
                    } else {
                        Vec::new()
                    },
                },
                system: engine.system_id().into(),
            },
            engine,
            drain: Drain::default(),
            bodies: BodyBudget::new(config.connections.upload_timeout),
            responses: ResponseBudget::new(has_login),
            keepalive: config.keepalive.max(MIN_KEEPALIVE),
            // Every stream has said goodbye well before the grace time cuts it off.
            drain_spread: config.drain_spread.min(config.drain_grace / 2),
            log_level: config.log_level.clone(),
            #[cfg(feature = "openapi")]
            document: surface.document,
        }
    }

    /// Counts a request without a body against what its caller may ask for, unless its address is too
    /// long.
    pub(crate) fn admit(&self, caller: Caller, uri: &Uri) -> Result<(), ApiError> {
        self.judge(check_uri(uri, self.uri_bytes))?;
        self.judge(self.callers.count_request(caller.owner))
    }

    /// Counts a request to publish, and reads its body. The body is read only if the caller may publish
    /// at all; its other events are counted by [`Self::admit_batch`] once their number is known.
    pub(crate) fn read_publication(
        &self,
        caller: Caller,
        request: Request,
    ) -> impl Future<Output = Result<ReadBody, ApiError>> {
        let counted = self.judge(self.callers.count_publish(caller.owner, caller.reach()));
        self.read_admitted(counted, Some(caller), request, Content::Events)
    }

    /// Stores events. A caller who publishes for others may fill an inbox beyond its owner's quota.
    /// Without a login there is one quota, since there is one caller.
    pub(crate) async fn publish(
        &self,
        caller: Caller,
        events: Vec<Prepared>,
    ) -> Result<Vec<Receipt>, PublishError> {
        if self.authenticator.identity.has_login() && caller.scopes.contains(Scopes::PUBLISH) {
            self.engine.publish_prepared(events).await
        } else {
            self.engine.publish_prepared_by_owner(events).await
        }
    }

    /// Counts a request that asks for a change, and reads its body; it may be as large as a batch.
    pub(crate) async fn read_change(
        &self,
        caller: Caller,
        request: Request,
    ) -> Result<ReadBody, ApiError> {
        let counted = self.judge(self.callers.count_request(caller.owner));
        self.read_admitted(counted, Some(caller), request, Content::Events)
            .await
    }

    /// The same for one that says which events are to be changed.
    pub(crate) async fn read_choice(
        &self,
        caller: Caller,
        request: Request,
    ) -> Result<ReadBody, ApiError> {
        let counted = self.judge(self.callers.count_request(caller.owner));
        let content = Content::Selection;
        self.read_admitted(counted, Some(caller), request, content)
            .await
    }

    /// Reads the body of a request that is counted for nobody.
    pub(crate) async fn read_body(&self, request: Request) -> Result<ReadBody, ApiError> {
        self.read_admitted(Ok(()), None, request, Content::Events)
            .await
    }

    /// Reserves the memory of an answer of at most `bytes`, before the work for it begins. With a
    /// credential the wait for it ends when that does.
    pub(crate) async fn reserve_answer(
        &self,
        caller: Caller,
        credential: Option<Credential>,
        bytes: usize,
    ) -> Result<Reservation, ApiError> {
        let room = Room { bytes, kept: 0 };
        let reserved = self.responses.reserve(caller.owner, credential, room).await;
        self.judge(reserved)
    }

    /// The same for the answer to a publish request, which is as large as the events that it keeps
    /// meanwhile.
    pub(crate) async fn reserve_echo(
        &self,
        caller: Caller,
        bytes: usize,
    ) -> Result<Reservation, ApiError> {
        let room = Room { bytes, kept: bytes };
        let reserved = self.responses.reserve(caller.owner, None, room).await;
        self.judge(reserved)
    }

    /// The same for the ids of what changes, where they are answered.
    pub(crate) async fn reserve_changes(
        &self,
        caller: Caller,
        credential: Option<&Credential>,
        selection: &Selection,
    ) -> Result<Reservation, ApiError> {
        let ids = match selection {
            Selection::Ids(ids) => ids.len(),
            _ => 0,
        };
        self.reserve_answer(caller, credential.cloned(), ids * ID_BYTES)
            .await
    }

    /// Counts a request for a live stream, and the stream until what is returned is dropped.
    pub(crate) fn open_stream(
        &self,
        caller: Caller,
        request: &Request,
    ) -> Result<StreamPlace, ApiError> {
        self.admit(caller, request.uri())?;
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|Peer(address)| *address);
        self.judge(self.callers.open_stream(caller.owner, address))
    }

    /// What is not needed for reading is dropped before it begins, and not kept until it ends.
    fn read_admitted(
        &self,
        admitted: Result<(), ApiError>,
        caller: Option<Caller>,
        request: Request,
        content: Content,
    ) -> impl Future<Output = Result<ReadBody, ApiError>> {
        let admitted = admitted
            .and_then(|()| self.judge(check_uri(request.uri(), self.uri_bytes)))
            .and_then(|()| {
                Ok(query::check_unfiltered(
                    request.uri().query(),
                    Elsewhere::Body,
                )?)
            });
        let (Parts { headers, .. }, body) = request.into_parts();
        match admitted {
            Ok(()) => {
                let limit = BodyLimit {
                    bytes: self.engine.limits().batch_bytes,
                    content,
                };
                // Without a login there is nobody to be kept from the memory of others.
                let caller = caller.filter(|_| self.authenticator.identity.has_login());
                let owner = caller.map(|caller| caller.owner);
                let read = self.bodies.read_json(owner, headers, body, limit);
                Either::Left(read.map(|read| self.judge(read)))
            }
            Err(refused) => Either::Right(Box::pin(async move {
                BodyBudget::discard(&headers, body).await;
                Err(refused)
            })),
        }
    }

    /// Waits for a read as long as its caller may have it. Dropped, it gives its place back.
    pub(crate) async fn read_while_valid<T, E: Into<ApiError>>(
        &self,
        credential: Option<Credential>,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ApiError> {
        tokio::select! {
            biased;
            read = read => self.judge(read),
            refused = crate::identity::ended(credential) => Err(CredentialError::from(refused).into()),
        }
    }

    /// Counts what a limit refuses.
    pub(crate) fn judge<T, E: Into<ApiError>>(&self, outcome: Result<T, E>) -> Result<T, ApiError> {
        outcome.map_err(|refused| {
            let refused = refused.into();
            if let ApiError::Limit(limit) = &refused {
                self.metrics.count_refusal(*limit);
            }
            refused
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
    async fn streams_are_counted_by_the_address_they_go_to() {
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
