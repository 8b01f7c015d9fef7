//! `GET /api/system/events/subscribe`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, Version};
use axum::response::Response;
use tidings_event::Start;

use crate::error::ApiError;
use crate::event_stream::{self, EventStream, LiveStream};
use crate::extract::Reader;
use crate::handover::Handover;
use crate::identity::{Caller, Credential};
use crate::limits::{StreamSlot, delay_rejected_stream};
use crate::request::query::{Elsewhere, check_unfiltered};
use crate::request::stream_start;
#[cfg(feature = "openapi")]
use crate::schema::examples;
#[cfg(feature = "openapi")]
use crate::schema::parameters::StreamParameters;
use crate::state::AppState;

/// Some clients assume ISO-8859-1 for a text without a character set.
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
/// Middleware that compresses collects frames until its buffer is full; `no-transform` keeps it off.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache, no-transform");
/// Tells a proxy in front not to hold frames back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Returns the live stream. The status is 200 whenever the client should reconnect by itself: any other
/// status ends a browser's `EventSource` permanently.
#[cfg_attr(feature = "openapi", utoipa::path(
    get,
    path = "/api/system/events/subscribe",
    summary = "Follow events live",
    description = "Returns Server-Sent Events. Each published event is an unnamed frame with an `Event`. \
                   Other frames are named `ready`, `status` (a `StatusChange`), `deleted` (a \
                   `Deletion`), `live` (with a `Summary`), `reset` (with a `ResetReason`) and \
                   `expiring` (with the time at which the token expires). Every frame has an `id`, the \
                   cursor from which to resume. The stream always carries all events, so filters of \
                   the list are rejected. See docs/streaming.md.",
    params(
        StreamParameters,
        (
            "Last-Event-ID" = Option<String>,
            Header,
            description = "Where the stream starts: a cursor, or `earliest`. Browsers send it when \
                           they reconnect."
        )
    ),
    responses((
        status = 200,
        description = "The stream. It starts with `reset` if the cursor cannot be used.",
        content_type = "text/event-stream",
        body = String,
        example = json!(examples::frames())
    ))
))]
pub(crate) async fn subscribe(
    State(state): State<Arc<AppState>>,
    reader: Result<Reader, ApiError>,
    request: Request,
) -> Result<Response, ApiError> {
    let Reader(caller) = match reader {
        Ok(reader) => reader,
        Err(rejected) => {
            drop(request);
            delay_rejected_stream(&state.drain).await;
            return Err(rejected);
        }
    };
    let body = if let Err(rejected) = check_unfiltered(request.uri().query(), Elsewhere::Stream) {
        drop(request);
        delay_rejected_stream(&state.drain).await;
        return Err(rejected.into());
    } else if request.method() == Method::HEAD {
        Body::empty()
    } else if state.drain.has_begun() {
        event_stream::ended()
    } else {
        match state.open_stream(caller, &request) {
            Ok(slot) => Opening::of(&request, slot).open(&state, caller).await,
            Err(rejected) => {
                drop(request);
                delay_rejected_stream(&state.drain).await;
                return Err(rejected);
            }
        }
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, NO_CACHE);
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    if request.version() == Version::HTTP_11 {
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    }
    Ok(response)
}

/// The parts of a request that its stream needs.
struct Opening {
    start: Start,
    slot: StreamSlot,
    credential: Option<Credential>,
    handover: Option<Handover>,
}

impl Opening {
    fn of(request: &Request, slot: StreamSlot) -> Self {
        let extensions = request.extensions();
        Self {
            start: stream_start::read(request.headers(), request.uri().query().unwrap_or("")),
            slot,
            credential: extensions.get().cloned(),
            handover: extensions.get().cloned(),
        }
    }

    async fn open(self, state: &AppState, caller: Caller) -> Body {
        let follower = match state.wire.follow(caller.owner, self.start).await {
            Ok(follower) => {
                state.stream_reads.note_success();
                follower
            }
            Err(error) => {
                state.stream_reads.note_failure(&error);
                return event_stream::ended();
            }
        };
        let mut stream = LiveStream {
            follower,
            slot: self.slot,
            credential: self.credential,
        };
        match self.handover {
            Some(handover) => handover.put(stream.begin(), stream),
            None => EventStream::new(stream, state).into_body(),
        }
    }
}
